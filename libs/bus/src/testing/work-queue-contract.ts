import { describe, expect, it } from 'vitest';
import type { QueuedMessage, WorkQueue } from '../port.ts';
import { bytes, type CreateFixture, queueSpec, subjectOf, text } from './bus-fixture.ts';

/** Long enough for any answer that is expected to come. */
const waitMs = 20_000;

/** What is stored, who gets it, and how it comes back. */
export function workQueueContract(create: CreateFixture): void {
  it('stores what is enqueued once for each id, and gives it out in order', async () => {
    await using fixture = await create();
    const spec = queueSpec();
    const queue = await fixture.bus.openWorkQueue(spec);
    const enqueue = (id: string) =>
      queue.enqueue(subjectOf(spec), bytes(`job ${id}`), { id, headers: { lane: id } });
    expect(await enqueue('a')).toEqual({ duplicate: false });
    expect(await enqueue('b')).toEqual({ duplicate: false });
    expect(await enqueue('a')).toEqual({ duplicate: true });
    expect(await queue.size()).toBe(2);
    const taken = await takeAll(queue, 2);
    expect(taken.map(({ payload, headers }) => [text(payload), headers])).toEqual([
      ['job a', { lane: 'a' }],
      ['job b', { lane: 'b' }],
    ]);
    expect(taken.map(({ subject, deliveryCount }) => [subject, deliveryCount])).toEqual([
      [subjectOf(spec), 1],
      [subjectOf(spec), 1],
    ]);
    // Still stored until it is acknowledged, and the id is remembered even after that.
    expect(await queue.size()).toBe(2);
    for (const { receipt } of taken) await queue.settle(receipt, { kind: 'ack' });
    expect(await queue.size()).toBe(0);
    expect(await enqueue('a')).toEqual({ duplicate: true });
  });

  it('shares one queue between two takers', async () => {
    await using fixture = await create();
    const spec = queueSpec();
    const first = await fixture.bus.openWorkQueue(spec);
    const second = await (await fixture.another()).openWorkQueue(spec);
    for (let at = 0; at < 20; at += 1) {
      await first.enqueue(subjectOf(spec), bytes(String(at)), { id: String(at) });
    }
    const [a, b] = await Promise.all([takeAll(first, 10), takeAll(second, 10)]);
    const all = [...a, ...b].map(({ payload }) => Number(text(payload)));
    expect(all.sort((x, y) => x - y)).toEqual(Array.from({ length: 20 }, (_, at) => at));
    expect(await first.take({ max: 5, waitMs: 0 })).toEqual([]);
  });

  it('wakes a waiting taker, and takes no more than it asked for', async () => {
    await using fixture = await create();
    const spec = queueSpec();
    const queue = await fixture.bus.openWorkQueue(spec);
    const waiting = queue.take({ max: 2, waitMs });
    for (const id of ['a', 'b', 'c']) await queue.enqueue(subjectOf(spec), bytes(id), { id });
    const early = await waiting;
    const rest = await takeAll(queue, 3 - early.length);
    expect(early.length).toBeLessThanOrEqual(2);
    expect([...early, ...rest].map(({ payload }) => text(payload))).toEqual(['a', 'b', 'c']);
  });

  it('gives an empty hand when the wait is over or the signal fires, and loses nothing', async () => {
    await using fixture = await create();
    const spec = queueSpec();
    const queue = await fixture.bus.openWorkQueue(spec);
    const short = queue.take({ max: 1, waitMs: 30 });
    await fixture.advance(30);
    expect(await short).toEqual([]);
    const controller = new AbortController();
    const aborted = queue.take({ max: 1, waitMs, signal: controller.signal });
    controller.abort();
    expect(await aborted).toEqual([]);
    expect(await queue.take({ max: 1, waitMs, signal: controller.signal })).toEqual([]);
    await queue.enqueue(subjectOf(spec), bytes('a'), { id: 'a' });
    expect(await takeAll(queue, 1)).toHaveLength(1);
  });

  it('loses nothing to takers that give up while messages arrive', async () => {
    await using fixture = await create();
    const spec = queueSpec();
    const queue = await fixture.bus.openWorkQueue(spec);
    const got = new Set<string>();
    for (let round = 0; round < 25; round += 1) {
      const controller = new AbortController();
      const taking = queue.take({ max: 3, waitMs, signal: controller.signal });
      const id = String(round);
      const storing = queue.enqueue(subjectOf(spec), bytes(id), { id });
      if (round % 2 === 0) await storing;
      controller.abort();
      for (const { payload } of await taking) got.add(text(payload));
      await storing;
    }
    while (got.size < 25) {
      const more = await queue.take({ max: 10, waitMs });
      expect(more.length).toBeGreaterThan(0);
      for (const { payload } of more) got.add(text(payload));
    }
    expect(got.size).toBe(25);
  });

  it('gives out all it holds, however much of it is not settled yet', async () => {
    await using fixture = await create();
    // A server's own default would stop at 1000, for all takers together.
    const count = 1_100;
    const spec = queueSpec({ maxMessages: count });
    const queue = await fixture.bus.openWorkQueue(spec);
    const ids = Array.from({ length: count }, (_, at) => String(at));
    await Promise.all(ids.map((id) => queue.enqueue(subjectOf(spec), bytes(id), { id })));
    const taken = await takeAll(queue, count);
    expect(new Set(taken.map(({ payload }) => text(payload))).size).toBe(count);
  });

  it('refuses when it is full, but still knows a duplicate; an acknowledgement makes room', async () => {
    await using fixture = await create();
    const spec = queueSpec({ maxMessages: 2 });
    const queue = await fixture.bus.openWorkQueue(spec);
    const enqueue = (id: string) => queue.enqueue(subjectOf(spec), bytes(id), { id });
    await enqueue('a');
    await enqueue('b');
    await expect(enqueue('c')).rejects.toMatchObject({ code: 'full' });
    expect(await enqueue('a')).toEqual({ duplicate: true });
    expect(await queue.size()).toBe(2);
    const [first] = await takeAll(queue, 1);
    await queue.settle(receiptOf(first), { kind: 'ack' });
    expect(await enqueue('c')).toEqual({ duplicate: false });
  });

  it('refuses what cannot be stored', async () => {
    await using fixture = await create();
    const spec = queueSpec();
    const queue = await fixture.bus.openWorkQueue(spec);
    const large = queue.enqueue(subjectOf(spec), new Uint8Array(1_048_577), { id: 'a' });
    await expect(large).rejects.toMatchObject({ code: 'too_large' });
    await expect(queue.enqueue('elsewhere', bytes(''), { id: 'a' })).rejects.toThrow(TypeError);
    expect(await queue.size()).toBe(0);
  });

  it('settles from another connection by receipt alone; twice is harmless', async () => {
    await using fixture = await create();
    const other = await fixture.another();
    const spec = queueSpec();
    const queue = await fixture.bus.openWorkQueue(spec);
    for (const id of ['a', 'b']) await queue.enqueue(subjectOf(spec), bytes(id), { id });
    const [first] = await takeAll(queue, 2);
    const receipt = receiptOf(first);
    await other.settle(receipt, { kind: 'progress' });
    await other.settle(receipt, { kind: 'ack' });
    await other.settle(receipt, { kind: 'ack' });
    await fixture.bus.settle(receipt, { kind: 'retry', delayMs: 0 });
    await other.settle(receipt, { kind: 'progress' });
    expect(await queue.size()).toBe(1);
    expect(await queue.take({ max: 1, waitMs: 0 })).toEqual([]);
    await expect(other.settle('jobs.dm.1', { kind: 'ack' })).rejects.toThrow(TypeError);
  });

  it('forgets an id after the window, and a message after its age', async () => {
    await using fixture = await create();
    // 100 ms is the least window that a server takes.
    const spec = queueSpec({ dedupeWindowMs: 200, maxAgeMs: 400 });
    const queue = await fixture.bus.openWorkQueue(spec);
    const enqueue = () => queue.enqueue(subjectOf(spec), bytes('a'), { id: 'a' });
    await enqueue();
    let answer = await enqueue();
    expect(answer.duplicate).toBe(true);
    for (let tries = 0; answer.duplicate && tries < 50; tries += 1) {
      await fixture.advance(100);
      answer = await enqueue();
    }
    expect(answer.duplicate).toBe(false);
    for (let tries = 0; (await queue.size()) > 0 && tries < 50; tries += 1) {
      await fixture.advance(100);
    }
    expect(await queue.size()).toBe(0);
    expect(await queue.take({ max: 1, waitMs: 0 })).toEqual([]);
  });

  it('takes on a changed spec when it is opened anew, by two at once', async () => {
    await using fixture = await create();
    const other = await fixture.another();
    const spec = queueSpec({ maxMessages: 1 });
    const [queue] = await Promise.all([
      fixture.bus.openWorkQueue(spec),
      other.openWorkQueue(spec),
      other.openWorkQueue(spec),
    ]);
    await queue.enqueue(subjectOf(spec), bytes('a'), { id: 'a' });
    const wider = await other.openWorkQueue({ ...spec, maxMessages: 2, ackWaitMs: 30_000 });
    await queue.enqueue(subjectOf(spec), bytes('b'), { id: 'b' });
    expect(await wider.size()).toBe(2);
  });

  describe('redelivery', () => {
    const ackWaitMs = 1_500;

    it('delivers again what nobody settled, before what is new [B5]', async () => {
      await using fixture = await create();
      const spec = queueSpec({ ackWaitMs });
      const queue = await fixture.bus.openWorkQueue(spec);
      await queue.enqueue(subjectOf(spec), bytes('a'), { id: 'a' });
      await takeAll(queue, 1);
      expect(await queue.take({ max: 1, waitMs: 0 })).toEqual([]);
      const waiting = queue.take({ max: 1, waitMs });
      await fixture.advance(ackWaitMs);
      const [again] = await waiting;
      expect(again).toMatchObject({ deliveryCount: 2 });
      await queue.settle(receiptOf(again), { kind: 'retry', delayMs: 0 });
      await queue.enqueue(subjectOf(spec), bytes('b'), { id: 'b' });
      const both = await takeAll(queue, 2);
      expect(both.map(({ payload }) => text(payload))).toEqual(['a', 'b']);
    });

    it('keeps a delivery that makes progress, and gives it out when progress ends', async () => {
      await using fixture = await create();
      const spec = queueSpec({ ackWaitMs });
      const queue = await fixture.bus.openWorkQueue(spec);
      await queue.enqueue(subjectOf(spec), bytes('a'), { id: 'a' });
      const [first] = await takeAll(queue, 1);
      for (let sign = 0; sign < 8; sign += 1) {
        await fixture.advance(ackWaitMs / 5);
        await queue.settle(receiptOf(first), { kind: 'progress' });
      }
      expect(await queue.take({ max: 1, waitMs: 0 })).toEqual([]);
      const waiting = queue.take({ max: 1, waitMs });
      await fixture.advance(ackWaitMs);
      expect(await waiting).toMatchObject([{ deliveryCount: 2 }]);
    });

    it('delivers again after the delay that was asked for', async () => {
      await using fixture = await create();
      const spec = queueSpec();
      const queue = await fixture.bus.openWorkQueue(spec);
      await queue.enqueue(subjectOf(spec), bytes('a'), { id: 'a' });
      const [first] = await takeAll(queue, 1);
      await queue.settle(receiptOf(first), { kind: 'retry', delayMs: 300 });
      expect(await queue.take({ max: 1, waitMs: 0 })).toEqual([]);
      const waiting = queue.take({ max: 1, waitMs });
      await fixture.advance(300);
      const [again] = await waiting;
      expect(again).toMatchObject({ deliveryCount: 2 });
      // A late acknowledgement of the first delivery still removes it.
      await queue.settle(receiptOf(first), { kind: 'ack' });
      expect(await queue.size()).toBe(0);
    });
  });

  it('ends waiting takers and refuses everything once it is closed', async () => {
    await using fixture = await create();
    const spec = queueSpec();
    const queue = await fixture.bus.openWorkQueue(spec);
    await queue.enqueue(subjectOf(spec), bytes('a'), { id: 'a' });
    const [first] = await takeAll(queue, 1);
    const waiting = queue.take({ max: 1, waitMs: 3_600_000 });
    const ended = expect(waiting).rejects.toMatchObject({ code: 'closed' });
    await fixture.bus[Symbol.asyncDispose]();
    await ended;
    const closed = { code: 'closed' };
    await expect(queue.take({ max: 1, waitMs: 0 })).rejects.toMatchObject(closed);
    await expect(queue.size()).rejects.toMatchObject(closed);
    const enqueue = queue.enqueue(subjectOf(spec), bytes('b'), { id: 'b' });
    await expect(enqueue).rejects.toMatchObject(closed);
    const settle = fixture.bus.settle(receiptOf(first), { kind: 'ack' });
    await expect(settle).rejects.toMatchObject(closed);
    await expect(fixture.bus.openWorkQueue(spec)).rejects.toMatchObject(closed);
  });
}

/** Takes until there are `count`. */
async function takeAll(queue: WorkQueue, count: number): Promise<readonly QueuedMessage[]> {
  const taken: QueuedMessage[] = [];
  while (taken.length < count) {
    const more = await queue.take({ max: count - taken.length, waitMs });
    expect(more.length).toBeGreaterThan(0);
    taken.push(...more);
  }
  return taken;
}

function receiptOf(message: QueuedMessage | undefined): string {
  expect(message).toBeDefined();
  return message?.receipt ?? '';
}
