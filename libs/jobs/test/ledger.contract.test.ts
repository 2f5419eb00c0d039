import { type Bus, connectNats } from '@starling/bus';
import { systemClock } from '@starling/clock';
import type { JobId } from '@starling/contracts';
import { type RunningServer, startNatsServer } from '@starling/harness';
import { describe, expect, it, vi } from 'vitest';
import { createLedger, type Ledger, type LedgerRead, ledgerBucket } from '../src/index.ts';
import { doneBy, failed, jobOf, messageOf, workerOf } from './ledger-sample.ts';

const wait = { timeout: 20_000, interval: 20 };
const jobs = Array.from({ length: 200 }, (_, n) => jobOf(n));

/** Processes with a connection and a ledger each, on one server. */
async function open(server: RunningServer, processes: number) {
  const buses: Bus[] = [];
  const ledgers: Ledger[] = [];
  for (let at = 0; at < processes; at += 1) {
    const bus = await connectNats({
      url: server.url,
      name: `ledger-${at}`,
      connectTimeoutMs: 10_000,
      clock: systemClock,
    });
    buses.push(bus);
    const bucket = await bus.openKeyValue(ledgerBucket);
    // Patient: a server that comes back needs a second or two.
    ledgers.push(createLedger({ bucket, clock: systemClock, retryForMs: 20_000 }));
  }
  const [first = expect.fail()] = ledgers;
  return {
    first,
    ledgers,
    buses,
    async [Symbol.asyncDispose]() {
      await Promise.all(buses.map((bus) => bus[Symbol.asyncDispose]()));
    },
  };
}

const each = <Result>(what: (id: JobId) => Promise<Result>) => Promise.all(jobs.map(what));

describe('the ledger on NATS', () => {
  it('gives each of 200 jobs to one of four, attempt after attempt, and ends it once [A7]', async () => {
    await using server = await startNatsServer();
    await using fleet = await open(server, 4);
    const { first, ledgers } = fleet;
    const rounds = await each(async (id) => {
      const revisions: number[] = [];
      for (let attempt = 1; attempt <= 2; attempt += 1) {
        const previousRevision = revisions.at(-1);
        const claims = await Promise.all(
          ledgers.map((ledger, n) =>
            ledger.claim(id, { workerId: workerOf(n), attempt, previousRevision }),
          ),
        );
        const won = claims.flatMap((claim) => (claim.kind === 'won' ? [claim.revision] : []));
        expect(won).toHaveLength(1);
        revisions.push(...won);
        // The losers know who won, and that it is not them.
        for (const claim of claims) {
          if (claim.kind === 'lost') expect(claim.standing).toMatchObject({ revision: won[0] });
        }
      }
      return revisions;
    });
    // All four of the first attempt are zombies now; the four of the second claim all say they won.
    const ends = await each(async (id) => {
      const [zombie, owner] = rounds[jobs.indexOf(id)] ?? [];
      const late = await Promise.all(
        ledgers.map((ledger, n) => ledger.end(id, doneBy(id, workerOf(n), 1), zombie)),
      );
      expect(late.map(({ kind }) => kind)).toEqual(Array(4).fill('fenced'));
      const results = await Promise.all(
        ledgers.map((ledger, n) => ledger.end(id, doneBy(id, workerOf(n), 2), owner)),
      );
      return results.filter(({ kind }) => kind === 'ended').length;
    });
    expect(ends).toEqual(Array(jobs.length).fill(1));
    const standing = await each((id) => first.read(id));
    for (const read of standing) expect(read).toMatchObject({ kind: 'end', end: { attempt: 2 } });
  });

  it('loses and goes back on nothing when the server is killed in the middle [A6]', async () => {
    await using server = await startNatsServer();
    await using fleet = await open(server, 2);
    const { buses, ledgers } = fleet;
    /** What was confirmed of each job, in order. */
    const confirmed = new Map<JobId, { kind: LedgerRead['kind']; revision: number }>();
    const struck = Promise.withResolvers<void>();
    const lives = each(async (id) => {
      const n = jobs.indexOf(id);
      const ledger = ledgers[n % 2] ?? expect.fail();
      const workerId = workerOf(n);
      // A third of the jobs begins before the fault, the others in it and after it.
      if (n % 3 !== 0) await struck.promise;
      const claim = await ledger.claim(id, { workerId, attempt: 1 });
      if (claim.kind !== 'won') return expect.fail(`lost ${JSON.stringify(claim)}`);
      confirmed.set(id, { kind: 'run', revision: claim.revision });
      if (n % 2 === 0) return undefined;
      if (n % 3 === 0) await struck.promise;
      const ended = await ledger.end(id, doneBy(id, workerId, 1), claim.revision);
      if (ended.kind !== 'ended') return expect.fail(`fenced ${JSON.stringify(ended)}`);
      confirmed.set(id, { kind: 'end', revision: ended.revision });
      return undefined;
    });
    await vi.waitFor(() => expect(confirmed.size).toBe(67), wait);
    await server.kill();
    struck.resolve();
    await vi.waitFor(() => expect(buses.map(({ state }) => state)).toContain('reconnecting'), wait);
    await server.restart();
    await lives;
    await server.kill();
    await server.restart();
    const standing = await each((id) => ledgers[0]?.read(id) ?? expect.fail());
    expect(standing.map(({ kind }) => kind)).toEqual(jobs.map((id) => confirmed.get(id)?.kind));
    for (const [at, read] of standing.entries()) {
      const known = confirmed.get(jobs[at] ?? expect.fail());
      expect(read).toMatchObject({ revision: known?.revision });
    }
  });

  it('keeps posts, and refuses what is too large', async () => {
    await using server = await startNatsServer();
    await using fleet = await open(server, 2);
    const [mine = expect.fail(), theirs = expect.fail()] = fleet.ledgers;
    const id = jobOf(0);
    expect(await mine.posts.intend(id, 1)).toBe(true);
    const stands = await Promise.all(
      [mine, theirs].map((ledger, n) => ledger.posts.record(id, 1, messageOf(n))),
    );
    expect(new Set(stands).size).toBe(1);
    expect(await theirs.posts.read(id)).toEqual([{ part: 1, messageId: stands[0] }]);
    await mine.end(id, failed(id, 0), undefined);
    expect(await theirs.release(id, 'operator')).toMatchObject({ kind: 'end' });

    const other = jobOf(1);
    const end = doneBy(other, workerOf(0), 1);
    const text = 'x'.repeat(530_000);
    const large = { ...end, result: { ...end.result, outcome: { ...end.result.outcome, text } } };
    await expect(mine.end(other, large, undefined)).rejects.toThrow(/over its bound/);
  });
});
