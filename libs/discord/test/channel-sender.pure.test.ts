import type { InternalRequest, ResponseLike } from '@discordjs/rest';
import { DiscordAPIError, HTTPError } from '@discordjs/rest';
import { SimulatedClock } from '@starling/clock';
import { channelId, jobId, messageId, userId } from '@starling/contracts';
import { describe, expect, it } from 'vitest';
import { ChannelSender } from '../src/channel-sender.ts';
import { EditPace } from '../src/edit-pace.ts';
import { type SendError, sendErrorFrom } from '../src/send-error.ts';
import { stopButtonId } from '../src/stop-button.ts';

const channel = channelId.parse('200000000000000000');
const id = messageId.parse('1400000000000000001');

/** A message as Discord's API returns it. */
const created = (content: string) => ({
  id,
  content,
  author: { id: '500000000000000000', username: 'starling', bot: true },
});

/** A sender whose requests are answered so, one after the other. */
function senderOf(...answers: readonly (unknown | Error)[]) {
  const requests: InternalRequest[] = [];
  const pace = new EditPace({ clock: new SimulatedClock(), minIntervalMs: 1000 });
  const queue = [...answers];
  const rest = {
    async queueRequest(request: InternalRequest): Promise<ResponseLike> {
      requests.push(request);
      const answer = queue.shift();
      if (answer instanceof Error) throw answer;
      if (answer instanceof Response) return answer as unknown as ResponseLike;
      return Response.json(answer ?? {}) as unknown as ResponseLike;
    },
  };
  const unauthorised: string[] = [];
  const onUnauthorised = ({ fault }: SendError) => unauthorised.push(fault);
  const sender = new ChannelSender({ rest, pace, onUnauthorised });
  return { sender, requests, pace, unauthorised };
}

const apiError = (status: number, code: number | undefined) =>
  new DiscordAPIError({ code: code ?? 0, message: 'no' }, code as number, status, 'POST', 'url', {
    body: undefined,
    files: undefined,
  });

describe('ChannelSender', () => {
  it('tells of a bot token that Discord no longer takes, and of nothing else', async () => {
    const { sender, unauthorised } = senderOf(apiError(403, 50013), apiError(401, 0));
    await expect(sender.typing(channel)).rejects.toMatchObject({ fault: 'gone' });
    expect(unauthorised).toEqual([]);
    await expect(sender.typing(channel)).rejects.toMatchObject({ fault: 'unauthorised' });
    expect(unauthorised).toEqual(['unauthorised']);
  });

  it('posts a reply that pings nobody else, and that Discord creates once [F9] [A6]', async () => {
    const { requests, sender } = senderOf(created('@everyone hi'));
    const posted = await sender.post(channel, {
      content: '@everyone hi',
      nonce: 'n.0',
      replyTo: id,
    });
    expect(posted).toEqual({ messageId: id, content: '@everyone hi', stoppable: false });
    expect(requests[0]).toMatchObject({
      method: 'POST',
      fullRoute: `/channels/${channel}/messages`,
      body: {
        content: '@everyone hi',
        nonce: 'n.0',
        enforce_nonce: true,
        allowed_mentions: { parse: [], replied_user: true },
        message_reference: { message_id: id, fail_if_not_exists: false },
      },
    });
  });

  it('puts the Stop button below a message, and tells whether Discord has one there [A10]', async () => {
    const stop = {
      jobId: jobId.parse('1400000000000000000'),
      asker: userId.parse(`4${'0'.repeat(17)}`),
    };
    const button = { type: 2, style: 2, label: 'Stop', custom_id: stopButtonId(stop) };
    const components = [{ type: 1, components: [button] }];
    const { requests, sender } = senderOf({ ...created('a'), components }, created('b'));
    const posted = await sender.post(channel, { content: 'a', nonce: 'n.0', stop });
    expect(posted.stoppable).toBe(true);
    await sender.edit(channel, { messageId: id, content: 'b', stop });
    expect(requests.map(({ body }) => body)).toMatchObject([{ components }, { components }]);
  });

  it('tells what an earlier post of its nonce said, but not what Discord trimmed', async () => {
    const { sender } = senderOf(created('earlier'), created('text'));
    expect(await sender.post(channel, { content: 'new', nonce: 'n.0' })).toMatchObject({
      content: 'earlier',
    });
    expect(await sender.post(channel, { content: 'text\n', nonce: 'n.1' })).toMatchObject({
      content: 'text\n',
    });
  });

  it('edits without pings, and learns the pace from the answer [A9] [F9]', async () => {
    const headers = { 'x-ratelimit-remaining': '1', 'x-ratelimit-reset-after': '4.5' };
    const { pace, requests, sender } = senderOf(new Response('{}', { headers }));
    await sender.edit(channel, { messageId: id, content: 'b' });
    expect(requests[0]?.body).toEqual({
      content: 'b',
      components: [],
      allowed_mentions: { parse: [], replied_user: true },
    });
    expect(pace.reserve(channel)).toBe(4500);
  });

  it('says what follows from a failure, not how it came', async () => {
    const faultOf = async (answer: unknown) => {
      const { sender } = senderOf(answer);
      const failing = sender.post(channel, { content: 'a', nonce: 'n.0' });
      return failing.then(
        () => 'none',
        (error: unknown) => sendErrorFrom(error).fault,
      );
    };
    expect(await faultOf(apiError(404, 10003))).toBe('gone');
    expect(await faultOf(apiError(403, 50013))).toBe('gone');
    expect(await faultOf(apiError(403, undefined))).toBe('unavailable');
    expect(await faultOf(apiError(400, 50035))).toBe('refused');
    expect(await faultOf(apiError(429, 130000))).toBe('unavailable');
    expect(await faultOf(apiError(401, 0))).toBe('unauthorised');
    expect(await faultOf(new Error('Expected token to be set for this request'))).toBe(
      'unauthorised',
    );
    const body = { body: undefined, files: undefined };
    expect(await faultOf(new HTTPError(502, 'Bad Gateway', 'POST', 'url', body))).toBe(
      'unavailable',
    );
    expect(await faultOf(new Error('ECONNRESET'))).toBe('unavailable');
    expect(await faultOf(new Response('<html>'))).toBe('unavailable');
    expect(await faultOf({ what: 'is this' })).toBe('unavailable');
  });

  it('reads messages oldest first', async () => {
    const older = { ...created('older'), id: '1400000000000000000' };
    const { sender } = senderOf([created('newer'), older, 'nonsense']);
    const found = await sender.fetchAfter(channel, id);
    expect(found.map(({ content }) => content)).toEqual(['older', 'newer']);
  });
});
