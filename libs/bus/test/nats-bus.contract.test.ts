import { busContract } from '@starling/bus/testing';
import { systemClock } from '@starling/clock';
import { type RunningServer, startNatsServer } from '@starling/harness';
import { afterAll, beforeAll } from 'vitest';
import { type Bus, connectNats } from '../src/index.ts';

let server: RunningServer;
beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

busContract('the NATS bus', async () => {
  const open: Bus[] = [];
  const connect = async () => {
    const bus = await connectNats({
      url: server.url,
      name: 'contract',
      connectTimeoutMs: 10_000,
      clock: systemClock,
    });
    open.push(bus);
    return bus;
  };
  return {
    bus: await connect(),
    another: connect,
    advance: (durationMs) => systemClock.sleep(durationMs),
    async [Symbol.asyncDispose]() {
      await Promise.all(open.map((bus) => bus[Symbol.asyncDispose]()));
    },
  };
});
