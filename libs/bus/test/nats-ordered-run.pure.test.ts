import type { JetStreamManager } from '@nats-io/jetstream';
import { SimulatedClock } from '@starling/clock';
import { type Msg, type NatsConnection, headers as natsHeaders } from 'nats';
import { describe, expect, it } from 'vitest';
import { NatsLink } from '../src/nats-link.ts';
import { OrderedRun } from '../src/nats-ordered-run.ts';

/** A reading whose server is the test. */
async function open(options: { pending?: number; refuses?: boolean } = {}) {
  const clock = new SimulatedClock();
  const published: string[] = [];
  const removed: string[] = [];
  let deliver: ((error: Error | null, message: Msg) => void) | undefined;
  let closed = false;
  const connection = {
    subscribe(_inbox: string, { callback }: { callback: typeof deliver }) {
      deliver = callback;
      return {
        isClosed: () => closed,
        unsubscribe: () => {
          closed = true;
        },
      };
    },
    publish: (subject: string) => published.push(subject),
    status: async function* () {},
    closed: () => new Promise(() => {}),
  } as unknown as NatsConnection;
  const manager = {
    consumers: {
      async add() {
        if (options.refuses) throw new Error('stream not found');
        return { name: 'c', num_pending: options.pending ?? 0 };
      },
      async delete(_stream: string, name: string) {
        removed.push(name);
        return true;
      },
    },
  } as unknown as JetStreamManager;
  const told: string[] = [];
  const run = new OrderedRun({
    link: new NatsLink({ connection, address: 'test', clock }),
    manager,
    stream: 'S',
    headersOnly: true,
    onMessage: ({ sequence }) => told.push(`+${sequence}`),
    onCaughtUp: () => told.push('caught up'),
  });
  await clock.advance(0);
  const send = (message: Partial<Msg>) => deliver?.(null, message as Msg);
  return {
    clock,
    run,
    told,
    published,
    removed,
    message(at: { sequence: number; consumer: number; pending: number }) {
      const { consumer, pending, sequence } = at;
      send({ reply: `$JS.ACK.S.c.1.${sequence}.${consumer}.1700000000000000000.${pending}` });
    },
    status(fields: Record<string, string>, reply?: string) {
      const headers = natsHeaders(100, 'Idle Heartbeat');
      for (const [name, value] of Object.entries(fields)) headers.set(name, value);
      send({ headers, ...(reply !== undefined && { reply }) });
    },
  };
}

describe('an ordered reading', () => {
  it('has caught up at the last message that was pending, and says so once', async () => {
    const { message, run, told } = await open({ pending: 2 });
    message({ sequence: 5, consumer: 1, pending: 1 });
    expect(told).toEqual(['+5']);
    message({ sequence: 9, consumer: 2, pending: 0 });
    message({ sequence: 10, consumer: 3, pending: 0 });
    expect(told).toEqual(['+5', '+9', 'caught up', '+10']);
    expect(run.end).toBe(undefined);
  });

  it('has caught up at a heartbeat, when what was pending is there no more', async () => {
    const { message, status, told } = await open({ pending: 2 });
    message({ sequence: 5, consumer: 1, pending: 1 });
    status({ 'Nats-Last-Consumer': '1' });
    expect(told).toEqual(['+5', 'caught up']);
  });

  it('ends at a hole between two messages, and delivers nothing after it', async () => {
    const { message, removed, run, told } = await open();
    message({ sequence: 5, consumer: 1, pending: 0 });
    message({ sequence: 7, consumer: 3, pending: 0 });
    message({ sequence: 8, consumer: 4, pending: 0 });
    expect(await run.over).toBe('gap');
    expect(told).toEqual(['caught up', '+5']);
    expect(removed).toEqual(['c']);
  });

  it('ends when a heartbeat knows of more than has arrived', async () => {
    const { message, run, status } = await open();
    message({ sequence: 5, consumer: 1, pending: 0 });
    status({ 'Nats-Last-Consumer': '2' });
    expect(await run.over).toBe('gap');
  });

  it('ends after three missed heartbeats, no sooner', async () => {
    const { clock, run, status } = await open();
    for (let at = 0; at < 5; at += 1) {
      await clock.advance(2_900);
      status({ 'Nats-Last-Consumer': '0' });
    }
    expect(run.end).toBe(undefined);
    await clock.advance(4_000);
    expect(await run.over).toBe('silence');
    expect(clock.pendingTimers).toBe(0);
  });

  it('answers flow control, asked for directly or by a stalled consumer', async () => {
    const { published, run, status } = await open();
    status({}, '$JS.FC.1');
    status({ 'Nats-Last-Consumer': '0', 'Nats-Consumer-Stalled': '$JS.FC.2' });
    expect(published).toEqual(['$JS.FC.1', '$JS.FC.2']);
    expect(run.end).toBe(undefined);
  });

  it('ends when the server refuses it, with what it said', async () => {
    const { run } = await open({ refuses: true });
    expect(await run.over).toBe('refused');
    expect(run.failure).toMatchObject({ message: 'stream not found' });
  });

  it('ends when it is stopped, and leaves nothing behind', async () => {
    const { clock, message, removed, run, told } = await open();
    run.stop();
    run.stop();
    message({ sequence: 5, consumer: 1, pending: 0 });
    expect(await run.over).toBe('ended');
    expect(told).toEqual(['caught up']);
    expect(removed).toEqual(['c']);
    expect(clock.pendingTimers).toBe(0);
  });
});
