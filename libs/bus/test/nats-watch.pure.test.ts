import { captureTelemetry } from '@starling/telemetry/testing';
import { expect, it } from 'vitest';
import { NatsWatch } from '../src/nats-watch.ts';
import { FakeServer } from './fake-server.ts';

async function open() {
  const server = new FakeServer();
  const told: string[] = [];
  server.stream = { created: 'then', state: { last_seq: 5 } };
  const watch = new NatsWatch({
    link: server.link,
    manager: server.manager,
    bucket: 'B',
    pattern: '*',
    handler: ({ key, revision }) => told.push(`${key} ${revision}`),
  });
  await server.clock.advance(0);
  await watch.started;
  const starts = () => server.consumers.map(({ opt_start_seq }) => opt_start_seq);
  /** A hole, after which it reads anew. */
  const miss = async () => {
    server.status({ 'Nats-Last-Consumer': '99' });
    await server.clock.advance(0);
  };
  return { server, told, watch, starts, miss };
}

it('begins after what is there, and goes on where it was', async () => {
  await using _telemetry = captureTelemetry();
  const { miss, server, starts, told, watch } = await open();
  server.message({ sequence: 8, consumer: 1, pending: 0, subject: '$KV.B.a' });
  expect(told).toEqual(['a 8']);
  await miss();
  expect(starts()).toEqual([6, 9]);
  watch.stop();
});

it('begins at the beginning of another stream, were it longer than the one before', async () => {
  await using _telemetry = captureTelemetry();
  const { miss, server, starts, watch } = await open();
  server.stream = { created: 'now', state: { last_seq: 50 } };
  await miss();
  expect(starts()).toEqual([6, 1]);
  watch.stop();
  await server.clock.advance(0);
  expect(server.clock.pendingTimers).toBe(0);
});
