/** Dead letters that become jobs again, on a real server. */
import type { JobStore } from '@starling/bus';
import { systemClock } from '@starling/clock';
import { decode, headerNames, type Job, type JobId, jobContract, jobId } from '@starling/contracts';
import { describe, expect, it } from 'vitest';
import {
  type DeadLetter,
  type DeathReason,
  deadLetter,
  findJobs,
  listDeadLetters,
  replayDeadLetter,
} from '../src/index.ts';
import { doneBy, failed, jobOf, sampleJob, workerOf } from './ledger-sample.ts';
import { natsStores, type Stores, traceId } from './operator-stores.ts';

const id = jobOf(1);
const exhausted: DeathReason = { kind: 'failed', code: 'internal' };
const unreadable: DeathReason = { kind: 'unreadable', problem: 'an older program' };

/** Gives the job at that place up; with `delivered` it leaves `JOBS`. */
async function bury(
  stores: Stores,
  sequence: number,
  reason: DeathReason,
  { delivered = true } = {},
): Promise<DeadLetter> {
  const message = await stores.whole(sequence);
  await deadLetter(stores.letters, { message, reason, attempts: 3, atMs: systemClock.nowMs() });
  if (delivered) await stores.store.remove(sequence);
  return (await listDeadLetters(stores.letters)).at(-1) ?? expect.fail();
}

/** Accepts a job that fails for good. */
async function failingJob(stores: Stores, options: { readonly delivered?: boolean } = {}) {
  const sequence = await stores.accept(id);
  await stores.ledger.end(id, failed(id, 3), undefined);
  return await bury(stores, sequence, exhausted, options);
}

async function jobAt(stores: Stores, name: JobId): Promise<Job> {
  const [stored = expect.fail()] = await stores.store.list(`jobs.*.${name}`);
  const decoded = decode(jobContract, (await stores.whole(stored.sequence)).payload);
  return decoded.ok ? decoded.value : expect.fail();
}

const replay = (stores: Stores, letter: DeadLetter) =>
  replayDeadLetter({ ...stores, clock: systemClock }, letter);

describe('a replay', () => {
  it('is a new job for the same question, under the same correlation id [A1] [H5]', async () => {
    await using stores = await natsStores();
    const letter = await failingJob(stores);
    const startedAtMs = systemClock.nowMs();
    const anew = jobId.parse(`${id}-r1`);
    expect(await replay(stores, letter)).toEqual({ kind: 'replayed', jobId: anew });
    expect(await listDeadLetters(stores.letters)).toEqual([]);

    const job = await jobAt(stores, anew);
    const { messages, origin } = sampleJob(id);
    expect(job).toMatchObject({ jobId: anew, messages, origin });
    expect(job.acceptedAtMs).toBeGreaterThanOrEqual(startedAtMs);
    expect(job.deadlineAtMs - job.acceptedAtMs).toBe(60_000);
    // Somebody looks on: it gets a call of its own.
    expect(job).not.toHaveProperty('callKey');
    // The message that asked, and what its user was told, still lead to it.
    for (const word of [id, traceId.slice(0, 8), traceId]) {
      expect(await findJobs(stores, word)).toMatchObject([
        { kind: 'stored', record: { jobId: anew, state: { kind: 'waiting', attempts: 0 } } },
      ]);
    }
    const [{ headers } = expect.fail()] = await stores.store.list();
    expect(headers[headerNames.tokenEstimate]).toBe('42');
    expect(headers).not.toHaveProperty(headerNames.callKey);
    expect(Object.keys(headers).filter((name) => name.includes('dead-'))).toEqual([]);

    // It fails again.
    const [again = expect.fail()] = await stores.store.list();
    await stores.ledger.end(anew, failed(anew, 3), undefined);
    const third = await replay(stores, await bury(stores, again.sequence, exhausted));
    expect(third).toEqual({ kind: 'replayed', jobId: `${id}-r2` });
  });

  it('that was cut off before the letter was gone makes no second job', async () => {
    await using stores = await natsStores();
    const letter = await failingJob(stores);
    const letters: JobStore = Object.assign(Object.create(stores.letters), {
      read: (sequence: number) => stores.letters.read(sequence),
      remove: () => Promise.reject(new Error('killed')),
    });
    const cutOff = () => replay({ ...stores, letters }, letter);
    await expect(cutOff()).rejects.toThrow('killed');
    await expect(cutOff()).rejects.toThrow('killed');
    expect(await stores.store.size()).toBe(1);

    // Meanwhile it was answered and delivered.
    const anew = jobId.parse(`${id}-r1`);
    await stores.ledger.end(anew, doneBy(anew, workerOf(1), 1), undefined);
    const [stored = expect.fail()] = await stores.store.list();
    await stores.store.remove(stored.sequence);
    expect(await replay(stores, letter)).toEqual({ kind: 'replayed_before', jobId: anew });
    expect(await stores.store.size()).toBe(0);
    expect(await listDeadLetters(stores.letters)).toEqual([]);
  });

  it('waits until the failure was told, which would overwrite its answer', async () => {
    await using stores = await natsStores();
    const letter = await failingJob(stores, { delivered: false });
    expect(await replay(stores, letter)).toEqual({ kind: 'undelivered', jobId: id });
    expect(await listDeadLetters(stores.letters)).toHaveLength(1);
  });

  it('asks anew when there was an answer that nobody delivered', async () => {
    await using stores = await natsStores();
    const sequence = await stores.accept(id);
    const claim = await stores.ledger.claim(id, { workerId: workerOf(0), attempt: 1 });
    if (claim.kind !== 'won') return expect.fail();
    await stores.ledger.end(id, doneBy(id, workerOf(0), 1), claim.revision);
    const letter = await bury(stores, sequence, { kind: 'undelivered' });
    expect(letter.reason).toEqual({ kind: 'undelivered' });
    expect(await replay(stores, letter)).toEqual({ kind: 'replayed', jobId: `${id}-r1` });
  });

  it('is refused when the question was answered after all', async () => {
    await using stores = await natsStores();
    const letter = await bury(stores, await stores.accept(id), exhausted);
    await stores.ledger.end(id, doneBy(id, workerOf(1), 3), undefined);
    expect(await replay(stores, letter)).toEqual({ kind: 'answered', jobId: id });
    expect(await stores.store.size()).toBe(0);
  });

  it('of a letter that could not be read keeps its id, once it can be [A7]', async () => {
    await using stores = await natsStores();
    // Accepted under its id a moment ago, with headers that nobody can place.
    const job = sampleJob(id, { acceptedAtMs: 5, deadlineAtMs: 6 });
    const payload = new TextEncoder().encode(JSON.stringify({ v: 1, ...job }));
    const letter = await bury(stores, await stores.storeRaw(id, payload), unreadable);
    expect(await replay(stores, letter)).toEqual({ kind: 'replayed', jobId: id });
    const again = await jobAt(stores, id);
    expect(again.deadlineAtMs - again.acceptedAtMs).toBe(10_000);
    expect(await findJobs(stores, id)).toMatchObject([{ record: { state: { kind: 'waiting' } } }]);
  });

  it('says what still cannot be read, and who was faster', async () => {
    await using stores = await natsStores();
    const letter = await bury(stores, await stores.storeRaw(id, new Uint8Array()), unreadable);
    expect(await replay(stores, letter)).toEqual({ kind: 'unreadable', problem: 'not json' });
    await stores.letters.remove(letter.sequence);
    expect(await replay(stores, letter)).toEqual({ kind: 'gone' });
  });
});
