/** A planted bad bot for each rule that is judged by REST calls; the gateway's are with its tests. */
import { systemClock, systemRandom } from '@starling/clock';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { KnobsInput } from '../../src/core/knobs.ts';
import { startDiscordEmulator } from '../../src/emulator.ts';
import { connectRaw } from '../gateway/raw-client.ts';

let stack: AsyncDisposableStack;
beforeEach(() => {
  stack = new AsyncDisposableStack();
});
afterEach(() => stack.disposeAsync());

/** A connected bot with no manners of its own, and a person who mentions it or runs `/ask`. */
async function badBot(knobs: KnobsInput = {}) {
  const clock = systemClock;
  const world = { guilds: 1, recommendedShards: 1 };
  const emulator = stack.use(
    await startDiscordEmulator({ clock, random: systemRandom, world, knobs }),
  );
  const json = (body: unknown) => ({
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const api = (path: string, init: RequestInit = {}, botToken = emulator.botToken) => {
    const headers = { ...init.headers, authorization: `Bot ${botToken}` };
    return fetch(`${emulator.restUrl}/api/v10${path}`, { ...init, headers });
  };
  const commands = `/applications/${emulator.applicationId}/commands`;
  await api(commands, json({ name: 'ask', description: 'Asks' }));
  const client = await connectRaw(emulator.gatewayUrl);
  stack.defer(() => client.terminate());
  client.send(2, { token: emulator.botToken, intents: 512, properties: {}, shard: [0, 1] });
  await client.event('READY');

  const person = async (path: string, body: object) =>
    (await (await fetch(`${emulator.restUrl}/people${path}`, json(body))).json()) as Record<
      string,
      string
    >;
  const channelId = emulator.world
    .guild([...emulator.world.guildIds()][0] ?? '')
    ?.channels()[0]?.id;
  return {
    emulator,
    api,
    json,
    messages: `/channels/${channelId}/messages`,
    mention: () => person('/say', { channelId, mention: true, content: 'well?' }),
    async command() {
      await person('/command', { channelId, name: 'ask' });
      const { d } = await client.event('INTERACTION_CREATE');
      const { id, token } = d as { id: string; token: string };
      return () => api(`/interactions/${id}/${token}/callback`, json({ type: 5 }));
    },
    counts: () => emulator.record.query().violationCounts,
  };
}

describe('the record convicts over real sockets', () => {
  it('a bot that does not answer, until it does', async () => {
    const { mention, messages, api, json, emulator, counts } = await badBot({ answerDueMs: 0 });
    const { messageId } = await mention();
    await vi.waitUntil(() => counts().unanswered === 1);
    await api(messages, json({ content: 'here', message_reference: { message_id: messageId } }));
    expect(counts()).toEqual({});
    expect(emulator.record.query().answered).toBe(1);
  });

  it('a bot that answers twice, and not one that continues', async () => {
    const { mention, messages, api, json, counts } = await badBot();
    const { messageId } = await mention();
    const reference = { message_reference: { message_id: messageId } };
    await api(messages, json({ content: 'one', nonce: 'job-0', ...reference }));
    await api(messages, json({ content: 'two', nonce: 'job-1' }));
    expect(counts()).toEqual({});
    await api(messages, json({ content: 'again', nonce: 'another', ...reference }));
    expect(counts()).toEqual({ answered_twice: 1 });
  });

  it('a bot that holds an interaction and lets it expire, and one that acknowledges it twice', async () => {
    const { command, counts, emulator } = await badBot({ interactionAckMs: 400 });
    const acknowledge = await command();
    expect((await acknowledge()).status).toBe(204);
    expect((await acknowledge()).status).toBe(400);
    expect(counts()).toEqual({ acknowledged_twice: 1 });
    emulator.record.reset();
    const late = await (await badBot({ interactionAckMs: 1 })).command();
    await vi.waitUntil(async () => (await late()).status === 404);
  });

  it('an interaction that its owner never acknowledged', async () => {
    const { command, counts } = await badBot({ interactionAckMs: 1 });
    await command();
    await vi.waitUntil(() => counts().interaction_expired === 1);
  });

  it('a bot that asks with a wrong bot token, and one that writes where it may not', async () => {
    const { api, json, emulator, counts } = await badBot();
    expect((await api('/users/@me', {}, 'wrong')).status).toBe(401);
    const readOnly = emulator.world.guild([...emulator.world.guildIds()][0] ?? '')?.channels()[2];
    const refused = await api(`/channels/${readOnly?.id}/messages`, json({ content: 'x' }));
    expect(refused.status).toBe(403);
    expect(counts()).toEqual({ invalid_request: 2 });
  });

  it('a bot that edits faster than a channel allows', async () => {
    const { api, json, messages, counts } = await badBot({ editsPerChannel: { limit: 2 } });
    const { id } = (await (await api(messages, json({ content: 'x' }))).json()) as { id: string };
    const edit = () => api(`${messages}/${id}`, { ...json({ content: 'y' }), method: 'PATCH' });
    const statuses = [await edit(), await edit()].map(({ status }) => status);
    expect([statuses, counts()]).toEqual([[200, 200], {}]);
    expect((await edit()).status).toBe(429);
    expect(counts()).toEqual({ edits_over_limit: 1, invalid_request: 1 });
  });
});
