import { Socket } from 'node:net';
import { systemClock } from '@starling/clock';
import { startNatsServer } from '@starling/harness';
import { afterEach, expect, it, vi } from 'vitest';
import { connectNats } from '../src/index.ts';
import { bytes, text } from '../src/testing/bus-fixture.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

/** Bytes of every write to a socket that mention the subject. */
function watchWrites(subject: string): { readonly sizes: number[] } {
  const sizes: number[] = [];
  const { write } = Socket.prototype;
  vi.spyOn(Socket.prototype, 'write').mockImplementation(function (this: Socket, ...args) {
    const [chunk] = args as unknown as [Uint8Array | string];
    if (Buffer.from(chunk as Uint8Array).includes(subject)) sizes.push(chunk.length);
    return Reflect.apply(write, this, args);
  });
  return { sizes };
}

it('writes once for all that a turn of the event loop sends, in its order; more than it likes to hold at once', async () => {
  await using server = await startNatsServer();
  await using bus = await connectNats({
    url: server.url,
    name: 'turn',
    connectTimeoutMs: 10_000,
    clock: systemClock,
  });
  const { messaging } = bus;
  const seen: string[] = [];
  const subscription = await messaging.subscribe('turn', ({ payload }) => {
    seen.push(text(payload.subarray(0, 3)));
  });
  const writes = watchWrites(' turn ');
  const sent = Array.from({ length: 100 }, (_, at) => String(at).padStart(3, '0'));

  await new Promise(setImmediate);
  for (const one of sent) {
    messaging.publish('turn', bytes(one));
    // Microtasks, in each of which the client by itself would write.
    await Promise.resolve();
    await Promise.resolve();
  }
  await vi.waitFor(() => expect(seen).toEqual(sent));
  expect(writes.sizes).toHaveLength(1);

  writes.sizes.length = 0;
  await new Promise(setImmediate);
  for (const one of sent) {
    messaging.publish('turn', bytes(one.padEnd(10_000)));
    await Promise.resolve();
    await Promise.resolve();
  }
  const inTurn = writes.sizes.length;
  await vi.waitFor(() => expect(seen).toEqual([...sent, ...sent]));
  expect(inTurn).toBeGreaterThan(10);
  expect(Math.max(...writes.sizes)).toBeLessThan(65_536 + 10_100);
  await subscription[Symbol.asyncDispose]();
});
