/** What an operator does to jobs, on a real server. */
import { systemClock } from '@starling/clock';
import {
  cancelContract,
  decode,
  headerNames,
  releasedContract,
  subjects,
  wakeContract,
} from '@starling/contracts';
import { describe, expect, it, vi } from 'vitest';
import { cancelJob, findJobs, listJobs, namedBy, releaseJob } from '../src/index.ts';
import { doneBy, failed, jobOf, messageOf, workerOf } from './ledger-sample.ts';
import { natsStores, type Stores, traceId } from './operator-stores.ts';

const [first, second, third, fourth] = [jobOf(1), jobOf(2), jobOf(3), jobOf(4)] as const;
const wait = { timeout: 10_000, interval: 10 };
const nothing = new Uint8Array();

async function claim({ ledger }: Stores, id: typeof first, attempt = 1): Promise<number> {
  const claimed = await ledger.claim(id, { workerId: workerOf(1), attempt });
  return claimed.kind === 'won' ? claimed.revision : expect.fail();
}

/** Payloads that reach a subject. */
async function hear({ bus }: Stores, subject: string): Promise<Uint8Array[]> {
  const heard: Uint8Array[] = [];
  await bus.messaging.subscribe(subject, ({ payload }) => void heard.push(payload));
  return heard;
}

const partsOf = (stores: Stores) => ({
  ...stores,
  messaging: stores.bus.messaging,
  clock: systemClock,
});

describe('the list of jobs', () => {
  it('tells where each stands, newest last and no more than asked for [A7] [H5]', async () => {
    await using stores = await natsStores();
    const { ledger } = stores;
    const fifth = jobOf(5);
    for (const id of [first, second, third, fourth]) await stores.accept(id);
    await stores.storeRaw(fifth, nothing, { [headerNames.lane]: 'nowhere' });
    await stores.storeRaw(jobOf(6), nothing, { [headerNames.version]: '99' });
    await claim(stores, second);
    await claim(stores, third, 2);
    await ledger.release(third, 'operator');
    await ledger.end(fourth, doneBy(fourth, workerOf(1), 1), await claim(stores, fourth));

    const { jobs, total } = await listJobs(stores, { most: 50 });
    expect(total).toBe(6);
    const workerId = workerOf(1);
    expect(jobs.map(({ jobId, state }) => [jobId, state])).toEqual([
      [first, { kind: 'waiting', attempts: 0 }],
      [second, { kind: 'running', workerId, attempt: 1, sinceMs: expect.any(Number) }],
      [third, { kind: 'waiting', attempts: 2 }],
      [fourth, { kind: 'ended', outcome: 'done', attempt: 1, workerId, atMs: 2_000 }],
      [fifth, { kind: 'unreadable', problem: expect.stringContaining('lane') }],
      [jobOf(6), { kind: 'newer' }],
    ]);
    expect(jobs[0]).toMatchObject({
      correlationId: traceId.slice(0, 8),
      lane: 'interactive',
      owner: 'c0',
      userKey: '400000000000000000',
      deadlineAtMs: expect.any(Number),
    });
    const newest = await listJobs(stores, { most: 2 });
    expect(newest.jobs.map(({ jobId }) => jobId)).toEqual([fifth, jobOf(6)]);
  });
});

describe('a job by its name', () => {
  it('is shown in full: by its id, its message, its correlation id or its trace [A1] [A7]', async () => {
    await using stores = await natsStores();
    await stores.accept(first);
    await stores.accept(second, { traceId: 'f'.repeat(32) });
    await stores.ledger.posts.record(first, 1, messageOf(1));
    const revision = await claim(stores, first);
    const [shown, ...others] = await findJobs(stores, first);
    expect(others).toEqual([]);
    expect(shown).toMatchObject({
      kind: 'stored',
      record: { jobId: first, state: { kind: 'running' } },
      body: { jobId: first, messages: [{ content: 'hello' }] },
      ledger: { kind: 'run', revision },
      posts: [{ part: 1, messageId: messageOf(1) }],
    });
    expect(await findJobs(stores, traceId.slice(0, 8))).toEqual([shown]);
    expect(await findJobs(stores, traceId)).toEqual([shown]);
    expect(await findJobs(stores, 'nobody')).toEqual([]);
  });

  it('names several when it fits several, newest first', async () => {
    await using stores = await natsStores();
    await stores.accept(first);
    await stores.accept(second);
    const found = await findJobs(stores, traceId.slice(0, 8));
    expect(found.map((details) => details.kind === 'stored' && details.record.jobId)).toEqual([
      second,
      first,
    ]);
  });

  it('is remembered when it was delivered, and shown when its body is broken', async () => {
    await using stores = await natsStores();
    await stores.ledger.end(first, failed(first, 0), undefined);
    expect(await findJobs(stores, first)).toMatchObject([
      { kind: 'remembered', jobId: first, state: { kind: 'ended', outcome: 'failed' } },
    ]);
    await stores.storeRaw(second, nothing);
    expect(await findJobs(stores, second)).toMatchObject([
      { kind: 'stored', body: { kind: 'not_json' } },
    ]);
  });
});

describe('a forced release', () => {
  it('fences the worker, tells it, and lets the next attempt claim at once [A7]', async () => {
    await using stores = await natsStores();
    const told = await hear(stores, subjects.allReleases);
    await stores.accept(first);
    const revision = await claim(stores, first);
    expect(await releaseJob(partsOf(stores), first)).toEqual({
      kind: 'released',
      from: workerOf(1),
      attempt: 1,
    });
    await vi.waitFor(() => expect(told).toHaveLength(1), wait);
    const standing = await stores.ledger.read(first);
    if (standing.kind !== 'released') return expect.fail();
    expect(decode(releasedContract, told[0] ?? nothing)).toEqual({
      ok: true,
      value: { jobId: first, revision: standing.revision },
    });
    const zombie = await stores.ledger.end(first, doneBy(first, workerOf(1), 1), revision);
    expect(zombie.kind).toBe('fenced');
    const { revision: previousRevision } = standing;
    const next = { workerId: workerOf(2), attempt: 2, previousRevision };
    expect(await stores.ledger.claim(first, next)).toMatchObject({ kind: 'won' });
    return undefined;
  });

  it('does nothing to a job that nobody runs, or that is over', async () => {
    await using stores = await natsStores();
    const told = await hear(stores, '>');
    await stores.accept(first);
    expect(await releaseJob(partsOf(stores), first)).toEqual({ kind: 'waiting' });
    await stores.ledger.end(first, failed(first, 0), undefined);
    expect(await releaseJob(partsOf(stores), first)).toMatchObject({
      kind: 'over',
      standing: { kind: 'end' },
    });
    expect(told.map((payload) => decode(releasedContract, payload).ok)).not.toContain(true);
  });
});

describe('a cancel', () => {
  it('is heard by whoever has the job, and waits for its end [A10]', async () => {
    await using stores = await natsStores();
    await stores.accept(first);
    const revision = await claim(stores, first);
    const { bus, ledger } = stores;
    await bus.messaging.subscribe(subjects.cancel(first), async ({ payload }) => {
      const cancel = decode(cancelContract, payload);
      expect(cancel).toMatchObject({ ok: true, value: { reason: 'operator' } });
      const { result } = failed(first, 1);
      const outcome = { kind: 'failed', code: 'cancelled', partialText: 'so far' } as const;
      const end = { ...doneBy(first, workerOf(1), 1), result: { ...result, outcome } };
      await ledger.end(first, end, revision);
    });
    expect(await cancelJob(partsOf(stores), first)).toMatchObject({
      kind: 'cancelled',
      by: 'fleet',
      end: { workerId: workerOf(1) },
    });
  });

  it.each(['waiting', 'running'])(
    'ends a %s job itself when nobody does, and wakes its owner [A7] [A10]',
    async (state) => {
      await using stores = await natsStores();
      const wakes = await hear(stores, 'wake.*');
      const stored = await stores.accept(first);
      const revision = state === 'running' ? await claim(stores, first) : undefined;
      const cancelled = await cancelJob({ ...partsOf(stores), patienceMs: 60 }, first);
      expect(cancelled).toMatchObject({
        kind: 'cancelled',
        by: 'operator',
        end: { result: { outcome: { kind: 'failed', code: 'cancelled' } } },
      });
      expect(await stores.ledger.read(first)).toMatchObject({ kind: 'end' });
      await vi.waitFor(() => expect(wakes).toHaveLength(1), wait);
      const wake = decode(wakeContract, wakes[0] ?? nothing);
      expect(wake).toEqual({ ok: true, value: { jobId: first, stored } });
      if (revision === undefined) return;
      const late = await stores.ledger.end(first, doneBy(first, workerOf(1), 1), revision);
      expect(late.kind).toBe('fenced');
    },
  );

  it('leaves alone what has ended, what it cannot read and what it does not know', async () => {
    await using stores = await natsStores();
    const parts = { ...partsOf(stores), patienceMs: 60 };
    await stores.accept(first);
    await stores.ledger.end(first, doneBy(first, workerOf(1), 1), await claim(stores, first));
    expect(await cancelJob(parts, first)).toMatchObject({ kind: 'over' });
    await stores.storeRaw(second, nothing);
    expect(await cancelJob(parts, second)).toEqual({ kind: 'unreadable' });
    expect(await cancelJob(parts, third)).toEqual({ kind: 'unknown' });
    expect(await namedBy(stores, 'nobody')).toEqual([]);
  });
});
