import { SimulatedClock } from '@starling/clock';
import { captureTelemetry } from '@starling/telemetry/testing';
import { expect, it } from 'vitest';
import { createMemoryBus } from '../src/index.ts';

const spec = {
  name: 'Q',
  subjects: ['q.>'],
  maxMessages: 200_000,
  maxAgeMs: 3_600_000,
  dedupeWindowMs: 3_600_000,
};
const nothing = new Uint8Array();

it('ends a drain after 10 s though a handler hangs, and counts what it dropped', async () => {
  await using telemetry = captureTelemetry();
  const clock = new SimulatedClock();
  const bus = createMemoryBus({ clock });
  await bus.messaging.subscribe('a', () => new Promise(() => {}));
  for (let at = 0; at < 4; at += 1) bus.messaging.publish('a', nothing);
  await clock.advance(0);
  let ended = false;
  const ending = Promise.resolve(bus[Symbol.asyncDispose]()).then(() => {
    ended = true;
  });
  await clock.advance(9_999);
  expect(ended).toBe(false);
  await clock.advance(1);
  await ending;
  const dropped = (await telemetry.metrics()).find(({ name }) => name === 'starling.bus.dropped');
  expect(dropped).toMatchObject({ value: 3, attributes: { why: 'drain' } });
});

it('leaves no timer behind', async () => {
  const clock = new SimulatedClock();
  const bus = createMemoryBus({ clock });
  await bus.messaging.subscribe('a', (message) => message.respond(nothing));
  await bus.messaging.request('a', nothing, { timeoutMs: 1_000 });
  expect(clock.pendingTimers).toBe(0);
  await bus.messaging.subscribe('b', () => {});
  const waiting = bus.messaging.request('b', nothing, { timeoutMs: 60_000 });
  const ended = expect(waiting).rejects.toMatchObject({ code: 'closed' });
  expect(clock.pendingTimers).toBe(1);
  await bus[Symbol.asyncDispose]();
  await ended;
  expect(clock.pendingTimers).toBe(0);
});

it('remembers no more than 100 000 ids, the newest', async () => {
  const clock = new SimulatedClock();
  await using bus = createMemoryBus({ clock });
  const store = await bus.openJobStore(spec);
  for (let id = 0; id <= 100_001; id += 1) await store.put(`q.${id}`, nothing, { id: String(id) });
  const put = (id: string) => store.put(`q.again-${id}`, nothing, { id });
  expect(await put('100001')).toEqual({ duplicate: true, sequence: 100_002 });
  expect(await put('0')).toMatchObject({ duplicate: false });
});
