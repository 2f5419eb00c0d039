import { type APIMessage, REST, Routes } from 'discord.js';
import { expect, it } from 'vitest';
import { type CompositionOptions, compose } from './composition.ts';

/** discord.js's own REST client against the emulator. */
async function connected(options: CompositionOptions = {}) {
  const emulator = await compose(options);
  const rest = new REST({ api: `${emulator.url}/api`, version: '10' });
  rest.setToken(emulator.world.botToken);
  const [guildId = ''] = emulator.world.guildIds();
  const channelId = emulator.world.guild(guildId)?.channels()[0]?.id ?? '';
  const send = (body: object) =>
    rest.post(Routes.channelMessages(channelId), { body }) as Promise<APIMessage>;
  return { emulator, rest, channelId, send };
}

it('paces itself by the emulator’s headers: no 429 in ten sends', async () => {
  const knobs = { messagesPerChannel: { limit: 5, perMs: 300 }, globalPerSecond: 50 };
  const { emulator, send } = await connected({ knobs });
  await using _ = emulator;
  const sent = await Promise.all(Array.from({ length: 10 }, (_, n) => send({ content: `${n}` })));
  expect(sent.map(({ content }) => content)).toEqual([
    '0',
    '1',
    '2',
    '3',
    '4',
    '5',
    '6',
    '7',
    '8',
    '9',
  ]);
  const record = emulator.record.query();
  expect(record.counts.rest_429 ?? 0).toBe(0);
  expect(record.counts.messages_created).toBe(10);
});

it('tries again after a lost reply and finds its message by the enforced nonce [A6]', async () => {
  const { emulator, send } = await connected();
  await using _ = emulator;
  emulator.faults.push({ kind: 'server_error', status: 502, when: 'after' });
  const sent = await send({ content: 'once', nonce: 'job-1', enforce_nonce: true });
  expect(sent.content).toBe('once');
  expect(emulator.record.query().counts).toMatchObject({ messages_created: 1, rest_requests: 2 });
});

it('waits out a 429 and understands errors', async () => {
  const { emulator, rest, channelId, send } = await connected();
  await using _ = emulator;
  emulator.faults.push({ kind: 'rate_limited', scope: 'global', retryAfterMs: 30 });
  await send({ content: 'after the wait' });
  await expect(send({ content: '' })).rejects.toMatchObject({ code: 50006, status: 400 });
  const unknown = Routes.channelMessage(channelId, '123456789012345678');
  await expect(rest.get(unknown)).rejects.toMatchObject({ code: 10008, status: 404 });
});

it('sends files', async () => {
  const { emulator, rest, channelId } = await connected();
  await using _ = emulator;
  const files = [{ name: 'answer.txt', data: Buffer.from('long answer') }];
  const body = { content: 'see the file' };
  const message = (await rest.post(Routes.channelMessages(channelId), {
    body,
    files,
  })) as APIMessage;
  expect(message.attachments).toMatchObject([{ filename: 'answer.txt', size: 11 }]);
});
