import { type LedgerAnswer, type LedgerEntry, ledgerStep } from '@starling/balance';
import { BusError, createMemoryBus, type KeyValue } from '@starling/bus';
import { SimulatedClock } from '@starling/clock';
import { encode, ledgerEntryContract } from '@starling/contracts';
import { captureTelemetry } from '@starling/telemetry/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLedger, type Ledger, type LedgerRead, ledgerBucket } from '../src/index.ts';
import { type LedgerValue, ruled } from '../src/ledger/ledger-record.ts';
import { doneBy, failed, jobOf, workerOf } from './ledger-sample.ts';

const job = jobOf(0);

async function open() {
  const clock = new SimulatedClock();
  const bus = createMemoryBus({ clock });
  const bucket = await bus.openKeyValue(ledgerBucket);
  return { clock, bucket, ledger: createLedger({ bucket, clock }) };
}

/** The bucket with faults: each write consumes one; `applied` is carried out and then not confirmed. */
function faulty(bucket: KeyValue, faults: ('none' | 'applied' | 'refused')[]): KeyValue {
  const through = async <Result>(write: () => Promise<Result>): Promise<Result> => {
    const fault = faults.shift() ?? 'none';
    if (fault === 'refused') throw new BusError('unreachable', 'not sent');
    const result = await write();
    if (fault === 'applied') throw new BusError('timeout', 'not confirmed');
    return result;
  };
  return {
    create: (key, bytes, options) => through(() => bucket.create(key, bytes, options)),
    update: (key, bytes, options) => through(() => bucket.update(key, bytes, options)),
    get: (key, options) => bucket.get(key, options),
  };
}

type Command = typeof command extends fc.Arbitrary<infer Value> ? Value : never;
const command = fc.record({
  kind: fc.constantFrom('claim', 'take_over', 'end', 'end_failed', 'release'),
  worker: fc.nat(2),
  /** Which of the revisions seen so far the caller believes in, from the newest back. */
  back: fc.nat(4),
});

describe('the ledger', () => {
  it('does what its rules say, whatever is asked in whichever order [A6]', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 40 }), async (commands) => {
        const { bucket, clock } = await open();
        // Each worker is a process of its own, which remembers its own claims only.
        const ledgers = [0, 1, 2].map(() => createLedger({ bucket, clock }));
        await follow(ledgers, commands);
      }),
      { numRuns: 200 },
    );
  });

  it('is claimed once a revision, however many ask for it at once [A7]', async () => {
    const { ledger } = await open();
    let revision: number | undefined;
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      const claims = await Promise.all(
        [0, 1, 2, 3].map((n) =>
          ledger.claim(job, { workerId: workerOf(n), attempt, previousRevision: revision }),
        ),
      );
      const won = claims.filter((claim) => claim.kind === 'won');
      expect(won).toHaveLength(1);
      revision = won[0]?.revision;
    }
  });

  it('fences a zombie: its claim was replaced, so its end is refused [A7]', async () => {
    const { ledger } = await open();
    const zombie = await ledger.claim(job, { workerId: workerOf(0), attempt: 1 });
    if (zombie.kind !== 'won') return expect.fail();
    const next = { workerId: workerOf(1), attempt: 2, previousRevision: zombie.revision };
    const claim = await ledger.claim(job, next);
    if (claim.kind !== 'won') return expect.fail();
    const late = await ledger.end(job, doneBy(job, workerOf(0), 1), zombie.revision);
    expect(late).toMatchObject({ kind: 'fenced', standing: { kind: 'run', run: { attempt: 2 } } });
    const end = doneBy(job, workerOf(1), 2);
    expect(await ledger.end(job, end, claim.revision)).toMatchObject({ kind: 'ended' });
    expect(await ledger.end(job, doneBy(job, workerOf(0), 1), zombie.revision)).toMatchObject({
      kind: 'fenced',
      standing: { kind: 'end', end },
    });
    expect(await ledger.read(job)).toMatchObject({ kind: 'end', end });
  });

  it('never writes over an end, not even when told its revision', async () => {
    const { bucket, clock, ledger } = await open();
    const ended = await ledger.end(job, failed(job, 0), undefined);
    if (ended.kind !== 'ended') return expect.fail();
    const { revision } = ended;
    const forged = createLedger({ bucket, clock });
    const claim = { workerId: workerOf(0), attempt: 2, previousRevision: revision };
    expect(await forged.claim(job, claim)).toMatchObject({ kind: 'lost' });
    const over = await forged.end(job, doneBy(job, workerOf(0), 2), revision);
    expect(over).toMatchObject({ kind: 'fenced', standing: { kind: 'end', revision } });
    expect(await forged.release(job, 'operator')).toMatchObject({ kind: 'end', revision });
  });

  it('lets an operator take a job from its worker; the next attempt claims it at once', async () => {
    const { ledger } = await open();
    expect(await ledger.release(job, 'operator')).toEqual({ kind: 'none' });
    const first = await ledger.claim(job, { workerId: workerOf(0), attempt: 1 });
    if (first.kind !== 'won') return expect.fail();
    const released = await ledger.release(job, 'operator');
    if (released.kind !== 'released') return expect.fail();
    expect(released.released.attempt).toBe(1);
    const late = await ledger.end(job, doneBy(job, workerOf(0), 1), first.revision);
    expect(late).toMatchObject({ kind: 'fenced' });
    const next = { workerId: workerOf(1), attempt: 2, previousRevision: released.revision };
    expect(await ledger.claim(job, next)).toMatchObject({ kind: 'won' });
  });

  it('knows its own write when the confirmation was lost', async () => {
    const { bucket, clock } = await open();
    const ledger = createLedger({
      clock,
      bucket: faulty(bucket, ['refused', 'applied', 'applied', 'applied']),
    });
    const settle = async <Result>(work: Promise<Result>) => {
      await clock.advance(1_000);
      return await work;
    };
    const claim = await settle(ledger.claim(job, { workerId: workerOf(0), attempt: 1 }));
    expect(claim).toEqual({ kind: 'won', revision: 1 });
    const next = { workerId: workerOf(1), attempt: 2, previousRevision: 1 };
    expect(await settle(ledger.claim(job, next))).toEqual({ kind: 'won', revision: 2 });
    const end = doneBy(job, workerOf(1), 2);
    expect(await settle(ledger.end(job, end, 2))).toEqual({ kind: 'ended', revision: 3 });
    // Asked again by a caller that gave up waiting.
    expect(await ledger.end(job, end, 2)).toEqual({ kind: 'ended', revision: 3 });
  });

  it('takes the same worker’s earlier claim for somebody else’s', async () => {
    const { ledger } = await open();
    const claim = { workerId: workerOf(0), attempt: 1 };
    expect(await ledger.claim(job, claim)).toMatchObject({ kind: 'won' });
    expect(await ledger.claim(job, claim)).toMatchObject({
      kind: 'lost',
      standing: { kind: 'run', revision: 1 },
    });
  });

  it('gives up after its bound, and says that nothing is known', async () => {
    const { bucket, clock } = await open();
    const ledger = createLedger({ clock, bucket: faulty(bucket, Array(50).fill('refused')) });
    const claiming = ledger.claim(job, { workerId: workerOf(0), attempt: 1 });
    const failure = expect(claiming).rejects.toMatchObject({ code: 'unreachable' });
    await clock.advance(699);
    await failure;
    expect(await ledger.read(job)).toEqual({ kind: 'none' });
    expect(clock.pendingTimers).toBe(0);
  });

  it('waits no longer for a silent store when it reads than when it writes', async () => {
    const { bucket, clock } = await open();
    const calls: (number | undefined)[] = [];
    const silent = async (options?: { readonly timeoutMs?: number }) => {
      calls.push(options?.timeoutMs);
      await clock.sleep(options?.timeoutMs ?? 60_000);
      throw new BusError('timeout', 'silent');
    };
    const ledger = createLedger({
      clock,
      bucket: {
        ...bucket,
        create: (_key, _bytes, options) => silent(options),
        get: (_key, options) => silent(options),
      },
    });
    const asking = [
      () => ledger.read(job),
      () => ledger.posts.read(job),
      () => ledger.claim(job, { workerId: workerOf(0), attempt: 1 }),
    ];
    for (const ask of asking) {
      const failure = expect(ask()).rejects.toMatchObject({ code: 'timeout' });
      await clock.advance(1_100);
      await failure;
    }
    expect(calls).toEqual(Array(6).fill(500));
  });

  it('leaves a newer version’s entry alone, and lets the next attempt replace what nobody can read', async () => {
    await using telemetry = captureTelemetry();
    const { bucket, ledger } = await open();
    const newer = JSON.parse(
      new TextDecoder().decode(encode(ledgerEntryContract, { jobId: job, record: failed(job, 1) })),
    );
    const bytes = new TextEncoder().encode(JSON.stringify({ ...newer, v: 2 }));
    await bucket.create(job, bytes);
    expect(await ledger.read(job)).toEqual({ kind: 'newer', revision: 1 });
    const over = { workerId: workerOf(0), attempt: 2, previousRevision: 1 };
    expect(await ledger.claim(job, over)).toMatchObject({ kind: 'lost' });
    expect(await ledger.end(job, failed(job, 1), 1)).toMatchObject({ kind: 'fenced' });

    const broken = jobOf(1);
    await bucket.create(broken, new TextEncoder().encode('{"v":1'));
    expect(await ledger.read(broken)).toMatchObject({ kind: 'released', revision: 2 });
    const next = { workerId: workerOf(0), attempt: 2, previousRevision: 2 };
    expect(await ledger.claim(broken, next)).toMatchObject({ kind: 'won' });
    const metrics = await telemetry.metrics();
    const counted = metrics.filter(({ name }) => name === 'starling.bus.quarantined');
    expect(counted.map(({ attributes }) => attributes)).toContainEqual({
      contract: 'ledger entry',
      fault: 'not_json',
    });
  });

  it('forgets an end after its time', async () => {
    const { clock, ledger } = await open();
    await ledger.end(job, failed(job, 0), undefined);
    await clock.advance(ledgerBucket.ttlMs - 1);
    expect(await ledger.read(job)).toMatchObject({ kind: 'end' });
    await clock.advance(1);
    expect(await ledger.read(job)).toEqual({ kind: 'none' });
  });
});

/** Runs the commands against ledgers and the rules side by side, and checks what must always hold. */
async function follow(ledgers: readonly Ledger[], commands: readonly Command[]) {
  let model: LedgerEntry | undefined;
  let finished: LedgerRead | undefined;
  const revisions: number[] = [];
  for (const { back, kind, worker } of commands) {
    const workerId = workerOf(worker);
    const ledger = ledgers[worker] ?? expect.fail();
    const believed = revisions.at(-1 - back);
    const attempt = 1 + revisions.length;
    const run = { kind: 'run', workerId, attempt, atMs: 0 } as const;
    const released = { kind: 'released', attempt, atMs: 0 } as const;
    const end = kind === 'end' ? doneBy(job, workerId, attempt) : failed(job, attempt, attempt);
    const judge = (expected: number | undefined, value: LedgerValue) =>
      ledgerStep(model, { expected, record: ruled(value) }, attempt);

    let answer: LedgerAnswer;
    if (kind === 'claim' || kind === 'take_over') {
      const previousRevision = kind === 'claim' ? undefined : believed;
      answer = judge(previousRevision, run);
      const claim = await ledger.claim(job, { workerId, attempt, previousRevision });
      expect(claim.kind).toBe(answer.kind === 'written' ? 'won' : 'lost');
    } else if (kind === 'release') {
      const runs = model?.record.kind === 'run';
      answer = runs ? judge(model?.revision, released) : { kind: 'refused', current: model };
      const read = await ledger.release(job, 'operator');
      const fresh = read.kind === 'released' && read.revision === attempt;
      expect(fresh).toBe(answer.kind === 'written');
    } else {
      answer = judge(believed, end);
      const ended = await ledger.end(job, end, believed);
      expect(ended.kind).toBe(answer.kind === 'written' ? 'ended' : 'fenced');
    }
    if (answer.kind === 'written') {
      model = answer.entry;
      revisions.push(answer.entry.revision);
    }
    const standing = await ledger.read(job);
    expect(standing.kind).toBe(model?.record.kind ?? 'none');
    if (standing.kind !== 'none') expect(standing.revision).toBe(model?.revision);
    if (finished) expect(standing).toEqual(finished);
    if (standing.kind === 'end') finished = standing;
  }
}
