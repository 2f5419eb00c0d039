import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SimulatedClock } from '@starling/clock';
import { expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { AnswerBook } from '../../src/people/answer-book.ts';
import { say } from '../../src/people/speak.ts';
import { Watchers } from '../../src/people/watch.ts';
import { compose } from '../rest/composition.ts';

it('refuses a wait past its bound, and takes one again when another has ended', async () => {
  const clock = new SimulatedClock();
  await using emulator = await compose({ clock });
  using answers = new AnswerBook(emulator.platform, 1);
  const { messageId } = say(emulator.platform, answers, { mention: true });
  const { signal } = new AbortController();
  const options = { timeoutMs: 1000, quietMs: 0, signal };
  const first = answers.wait(messageId, options);
  await expect(answers.wait(messageId, options)).rejects.toMatchObject({ status: 503 });
  await clock.advance(1000);
  expect(await first).toMatchObject({ answered: false });
  const third = answers.wait(messageId, options);
  await clock.advance(1000);
  expect(await third).toMatchObject({ answered: false });
});

/** Watchers behind a server of their own. */
async function watching(bound: number) {
  const emulator = await compose();
  const [guildId = ''] = emulator.world.guildIds();
  const channel = emulator.world.guild(guildId)?.channels()[0];
  const watchers = new Watchers(emulator.platform, bound);
  const server = createServer();
  server.on('upgrade', (request, socket, head) => {
    try {
      watchers.accept({ request, socket, head }, { channelId: channel?.id });
    } catch (error) {
      const status = error instanceof Error && 'status' in error ? error.status : 500;
      socket.end(`HTTP/1.1 ${status} Refused\r\n\r\n`);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stack = new AsyncDisposableStack();
  stack.use(emulator);
  stack.defer(() => new Promise<void>((resolve) => server.close(() => resolve())));
  stack.defer(() => watchers.close());
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { emulator, channel, watchers, url, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

it('refuses a watcher past its bound', async () => {
  await using door = await watching(1);
  const first = new WebSocket(door.url);
  await new Promise((resolve) => first.once('open', resolve));
  const second = new WebSocket(door.url);
  const status = await new Promise((resolve) => {
    second.once('unexpected-response', (_request, response) => resolve(response.statusCode));
  });
  expect(status).toBe(503);
  first.terminate();
  await expect.poll(() => door.watchers.count).toBe(0);
});

it('cuts off a watcher that does not read', async () => {
  await using door = await watching(1);
  const slow = new WebSocket(door.url);
  await new Promise((resolve) => slow.once('open', resolve));
  slow.pause();
  const { board, world } = door.emulator.platform;
  const author = world.personAt(0);
  if (!door.channel || !author) throw new Error('the world is empty');
  const content = 'x'.repeat(4000);
  // More than the kernel's buffers and the watcher's share hold: 40 MB.
  for (let count = 0; count < 10_000; count++)
    board.post({ channel: door.channel, author, content });
  slow.resume();
  const code = await new Promise((resolve) => slow.once('close', resolve));
  expect(code).toBe(1013);
});
