import type { InternalRequest, ResponseLike } from '@discordjs/rest';
import { DiscordAPIError } from '@discordjs/rest';
import { jobId, userId } from '@starling/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeInteraction } from '../src/interaction-create.ts';
import { InteractionResponder } from '../src/interaction-responder.ts';
import { stopButtonId, stopTargetOf } from '../src/stop-button.ts';

const ada = userId.parse('400000000000000000');
const handle = {
  id: '1400000000000000009',
  applicationId: '500000000000000000',
  token: 'aW50ZXJhY3Rpb246MTQwMDAwMDAwMDAwMDAwMDAwOTpzZWNyZXQ',
};

/** A press in a guild as the gateway sends it. */
const raw = {
  id: handle.id,
  application_id: handle.applicationId,
  token: handle.token,
  type: 3,
  member: { user: { id: ada, username: 'ada' }, permissions: '2248473465835073' },
  data: { custom_id: 'stop:1:2', component_type: 2 },
};

describe('decodeInteraction', () => {
  it('reads a press, and whether its person manages messages', () => {
    expect(decodeInteraction(raw)).toEqual({
      ...handle,
      userId: ada,
      managesMessages: false,
      use: { kind: 'press', customId: 'stop:1:2' },
    });
    const manages = (permissions: unknown) =>
      decodeInteraction({ ...raw, member: { ...raw.member, permissions } })?.managesMessages;
    expect([String(1 << 13), String(1 << 3), '0', '', 8192, '-1'].map(manages)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
  });

  it('reads one of a direct message, and tells what cannot be answered with words', () => {
    const direct = { ...raw, member: undefined, user: { id: ada } };
    expect(decodeInteraction(direct)).toMatchObject({ userId: ada, managesMessages: false });
    const useOf = (difference: object) => decodeInteraction({ ...raw, ...difference })?.use.kind;
    expect([{ type: 2 }, { type: 4 }, { type: 5 }, { data: null }].map(useOf)).toEqual([
      'other',
      'autocomplete',
      'other',
      'other',
    ]);
  });

  it('throws at nothing', () => {
    for (const difference of [{ token: '' }, { token: 'a/../b' }, { id: '1' }, { member: {} }]) {
      expect(decodeInteraction({ ...raw, ...difference })).toBeUndefined();
    }
    fc.assert(
      fc.property(fc.anything(), (data) => {
        decodeInteraction(data);
        decodeInteraction({ ...raw, data, member: data });
      }),
    );
  });
});

describe('the Stop button’s id', () => {
  it('is read back whole, within what Discord takes, and from nothing else', () => {
    const anyJob = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/).map((id) => jobId.parse(id));
    const anyUser = fc.stringMatching(/^\d{17,20}$/).map((id) => userId.parse(id));
    fc.assert(
      fc.property(anyJob, anyUser, (job, asker) => {
        const id = stopButtonId({ jobId: job, asker });
        expect(id.length).toBeLessThanOrEqual(100);
        expect(stopTargetOf(id)).toEqual({ jobId: job, asker });
        expect(stopTargetOf(`${id}:`)).toBeUndefined();
      }),
    );
    for (const id of ['', 'stop', 'stop:1', `stop::${ada}`, `halt:1:${ada}`, 'stop:1:2']) {
      expect(stopTargetOf(id)).toBeUndefined();
    }
  });
});

describe('InteractionResponder', () => {
  /** A responder whose calls are answered so. */
  function responderOf(...answers: readonly Error[]) {
    const requests: InternalRequest[] = [];
    const queue = [...answers];
    const rest = {
      async queueRequest(request: InternalRequest): Promise<ResponseLike> {
        requests.push(request);
        const error = queue.shift();
        if (error) throw error;
        return new Response(null, { status: 204 }) as unknown as ResponseLike;
      },
    };
    return { responder: new InteractionResponder(rest), requests };
  }

  it('answers by the interaction’s token, never with the bot’s, to that person alone [D5]', async () => {
    const { requests, responder } = responderOf();
    await responder.acknowledge(handle);
    await responder.reply(handle, 'no');
    await responder.suggestNothing(handle);
    await responder.followUp(handle, 'over');
    await responder.clearButtons(handle);
    const callback = `/interactions/${handle.id}/${handle.token}/callback`;
    const webhook = `/webhooks/${handle.applicationId}/${handle.token}`;
    const alone = { flags: 64, allowed_mentions: { parse: [] } };
    expect(requests).toEqual([
      { method: 'POST', fullRoute: callback, auth: false, body: { type: 6 } },
      {
        ...{ method: 'POST', fullRoute: callback, auth: false },
        body: { type: 4, data: { content: 'no', ...alone } },
      },
      {
        ...{ method: 'POST', fullRoute: callback, auth: false },
        body: { type: 8, data: { choices: [] } },
      },
      { method: 'POST', fullRoute: webhook, auth: false, body: { content: 'over', ...alone } },
      {
        ...{ method: 'PATCH', fullRoute: `${webhook}/messages/%40original`, auth: false },
        body: { components: [] },
      },
    ]);
  });

  it('tells why it failed without the address, which holds the token', async () => {
    const url = `https://discord.com/api/interactions/${handle.id}/${handle.token}/callback`;
    const refused = new DiscordAPIError(
      { code: 10062, message: 'Unknown interaction' },
      ...([10062, 404, 'POST', url, { body: undefined, files: undefined }] as const),
    );
    const { responder } = responderOf(refused);
    const error: unknown = await responder.acknowledge(handle).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ fault: 'gone', message: 'Unknown interaction' });
    expect(error).not.toHaveProperty('cause');
  });
});
