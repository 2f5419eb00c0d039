import { once } from 'node:events';
import { type Bus, connectNats } from '@starling/bus';
import { systemClock as clock } from '@starling/clock';
import { startNatsServer } from '@starling/harness';
import { expect, it } from 'vitest';
import { AcceptedJobs } from '../src/chaos/accepted-jobs.ts';

const timeoutMs = 5_000;
const encoder = new TextEncoder();

/** Asks JetStream's own interface, so that nothing of the product decides what is stored. */
async function ask(bus: Bus, subject: string, body: object): Promise<{ readonly error?: unknown }> {
  const payload = encoder.encode(JSON.stringify(body));
  const reply = await bus.messaging.request(subject, payload, { timeoutMs });
  return JSON.parse(new TextDecoder().decode(reply.payload));
}

it('sees what NATS stores as accepted, and remembers it when it is gone and through a restart', async () => {
  await using nats = await startNatsServer({ clock });
  await using bus = await connectNats({
    url: nats.url,
    name: 'chaos-test',
    connectTimeoutMs: timeoutMs,
    clock,
  });
  const accepted = new AcceptedJobs(bus);
  expect(await accepted.look()).toBe(false);

  const stream = { name: 'JOBS', subjects: ['jobs.>'], storage: 'file', retention: 'limits' };
  expect((await ask(bus, '$JS.API.STREAM.CREATE.JOBS', stream)).error).toBeUndefined();
  await ask(bus, 'jobs.interactive.11', { a: 'job' });
  await ask(bus, 'jobs.dm.22', { a: 'job' });
  bus.messaging.publish('results.11', encoder.encode('no job'));
  expect(await accepted.look()).toBe(true);
  expect([...accepted.ids].sort()).toEqual(['11', '22']);
  expect([...accepted.stored].sort()).toEqual(['11', '22']);

  await ask(bus, '$JS.API.STREAM.MSG.DELETE.JOBS', { seq: 1 });
  await nats.restart();
  while (!(await accepted.look())) await clock.sleep(50);
  expect(accepted.stored).toEqual(['22']);
  expect(accepted.ids.size).toBe(2);
  expect(accepted.lastSequence).toBe(2);

  const ending = new AbortController();
  const looked = Promise.withResolvers<void>();
  const stalled = {
    ...clock,
    sleep: async () => {
      looked.resolve();
      await once(ending.signal, 'abort');
    },
  };
  const watching = accepted.watch({ clock: stalled, signal: ending.signal });
  await looked.promise;
  await ask(bus, 'jobs.batch.33', { a: 'job' });
  await ask(bus, '$JS.API.STREAM.PURGE.JOBS', {});
  while (!accepted.ids.has('33')) await clock.sleep(5);
  expect(accepted.stored).toEqual(['22']);
  ending.abort();
  await watching;
});
