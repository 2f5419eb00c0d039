import { describe, expect, it } from 'vitest';
import { OrderedRun } from '../src/nats-ordered-run.ts';
import { FakeServer } from './fake-server.ts';

/** A reading whose server is the test. */
async function open(options: { pending?: number; refuses?: boolean } = {}) {
  const server = new FakeServer(options);
  const told: string[] = [];
  const run = new OrderedRun({
    link: server.link,
    manager: server.manager,
    stream: 'S',
    onMessage: ({ sequence }) => told.push(`+${sequence}`),
    onCaughtUp: () => told.push('caught up'),
  });
  await server.clock.advance(0);
  return { server, clock: server.clock, run, told };
}

describe('an ordered reading', () => {
  it('has caught up at the last message that was pending, and says so once', async () => {
    const { run, server, told } = await open({ pending: 2 });
    server.message({ sequence: 5, consumer: 1, pending: 1 });
    expect(told).toEqual(['+5']);
    server.message({ sequence: 9, consumer: 2, pending: 0 });
    server.message({ sequence: 10, consumer: 3, pending: 0 });
    expect(told).toEqual(['+5', '+9', 'caught up', '+10']);
    expect(run.end).toBe(undefined);
  });

  it('has caught up at a heartbeat, when what was pending is there no more', async () => {
    const { server, told } = await open({ pending: 2 });
    server.message({ sequence: 5, consumer: 1, pending: 1 });
    server.status({ 'Nats-Last-Consumer': '1' });
    expect(told).toEqual(['+5', 'caught up']);
  });

  it('ends at a hole between two messages, and delivers nothing after it', async () => {
    const { run, server, told } = await open();
    server.message({ sequence: 5, consumer: 1, pending: 0 });
    server.message({ sequence: 7, consumer: 3, pending: 0 });
    server.message({ sequence: 8, consumer: 4, pending: 0 });
    expect(await run.over).toBe('gap');
    expect(told).toEqual(['caught up', '+5']);
    expect(server.removed).toEqual(['c1']);
  });

  it('ends when a heartbeat knows of more than has arrived', async () => {
    const { run, server } = await open();
    server.message({ sequence: 5, consumer: 1, pending: 0 });
    server.status({ 'Nats-Last-Consumer': '2' });
    expect(await run.over).toBe('gap');
  });

  it('ends after three missed heartbeats, no sooner', async () => {
    const { clock, run, server } = await open();
    for (let at = 0; at < 5; at += 1) {
      await clock.advance(2_900);
      server.status({ 'Nats-Last-Consumer': '0' });
    }
    expect(run.end).toBe(undefined);
    await clock.advance(4_000);
    expect(await run.over).toBe('silence');
    expect(clock.pendingTimers).toBe(0);
  });

  it('answers flow control, asked for directly or by a stalled consumer', async () => {
    const { run, server } = await open();
    server.status({}, '$JS.FC.1');
    server.status({ 'Nats-Last-Consumer': '0', 'Nats-Consumer-Stalled': '$JS.FC.2' });
    expect(server.published).toEqual(['$JS.FC.1', '$JS.FC.2']);
    expect(run.end).toBe(undefined);
  });

  it('ends when the server refuses it, with what it said', async () => {
    const { run } = await open({ refuses: true });
    expect(await run.over).toBe('refused');
    expect(run.failure).toMatchObject({ message: 'stream not found' });
  });

  it('ends when it is stopped, and leaves nothing behind', async () => {
    const { clock, run, server, told } = await open();
    run.stop();
    run.stop();
    server.message({ sequence: 5, consumer: 1, pending: 0 });
    expect(await run.over).toBe('ended');
    expect(told).toEqual(['caught up']);
    expect(server.removed).toEqual(['c1']);
    expect(clock.pendingTimers).toBe(0);
  });
});
