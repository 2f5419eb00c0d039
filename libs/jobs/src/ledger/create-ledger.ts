import { isOwnEnd, ledgerStep } from '@starling/balance';
import type { KeyValue, WriteResult } from '@starling/bus';
import type { Clock } from '@starling/clock';
import type { JobId, LedgerEnd } from '@starling/contracts';
import type { ClaimResult, EndResult, Ledger, LedgerRead } from './ledger.ts';
import { createLedgerPosts } from './ledger-posts.ts';
import { encodeValue, type LedgerValue, readValue, ruled, standingEntry } from './ledger-record.ts';
import { settled, tryTimeoutMs } from './settle-write.ts';

/** No try begins later: who asked for a run waits for a second (protocol.md, step 6). */
const defaultRetryForMs = 700;

/** Own claims that are remembered; an end without its claim costs one read more. */
const maxOwnClaims = 10_000;

type Write =
  | { readonly kind: 'written'; readonly revision: number }
  | { readonly kind: 'refused'; readonly standing: LedgerRead };

/** The ledger over a bucket of values: NATS in a fleet, memory when embedded. */
export function createLedger(parts: {
  readonly bucket: KeyValue;
  readonly clock: Clock;
  /** How long an unclear answer is asked for again, milliseconds. */
  readonly retryForMs?: number;
}): Ledger {
  const { bucket, clock, retryForMs = defaultRetryForMs } = parts;
  const patience = { clock, retryForMs };
  /** Claims that this process won: of these it need not read that they are no ends. */
  const ownClaims = new Map<JobId, number>();

  async function readNow(jobId: JobId): Promise<LedgerRead> {
    const entry = await bucket.get(jobId, { timeoutMs: tryTimeoutMs });
    return entry ? readValue(jobId, entry) : { kind: 'none' };
  }

  /** The rules, on what stands; undefined when the write may be tried. */
  async function refusal(jobId: JobId, expected: number, value: LedgerValue) {
    const standing = await readNow(jobId);
    if (standing.kind === 'newer') return standing;
    const write = { expected, record: ruled(value) };
    const answer = ledgerStep(standingEntry(standing), write, expected + 1);
    return answer.kind === 'refused' ? standing : undefined;
  }

  function put(jobId: JobId, bytes: Uint8Array, expected: number | undefined) {
    const timeoutMs = tryTimeoutMs;
    return expected === undefined
      ? bucket.create(jobId, bytes, { timeoutMs })
      : bucket.update(jobId, bytes, { timeoutMs, revision: expected });
  }

  /**
   * Writes by the rules. Creating needs no look before: what stands refuses it. Replacing does, because
   * a bucket compares revisions and knows nothing of ends.
   * @param isOurs whether what stands is this very write, which was carried out unseen
   */
  async function write(
    jobId: JobId,
    value: LedgerValue,
    options: {
      readonly expected: number | undefined;
      isOurs(standing: LedgerRead, unsure: boolean): boolean;
    },
  ): Promise<Write> {
    const { expected, isOurs } = options;
    const bytes = encodeValue(jobId, value);
    const judged = (standing: LedgerRead, unsure: boolean): Write =>
      standing.kind !== 'none' && isOurs(standing, unsure)
        ? { kind: 'written', revision: standing.revision }
        : { kind: 'refused', standing };
    return await settled(patience, async (unsure) => {
      if (expected !== undefined && ownClaims.get(jobId) !== expected) {
        const standing = await refusal(jobId, expected, value);
        if (standing) return judged(standing, unsure);
      }
      const result: WriteResult = await put(jobId, bytes, expected);
      if (result.ok) return { kind: 'written', revision: result.revision };
      return judged(await readNow(jobId), unsure);
    });
  }

  function remember(jobId: JobId, revision: number): void {
    ownClaims.delete(jobId);
    ownClaims.set(jobId, revision);
    const oldest = ownClaims.keys().next();
    if (ownClaims.size > maxOwnClaims && !oldest.done) ownClaims.delete(oldest.value);
  }

  return {
    posts: createLedgerPosts({ bucket, patience }),

    async claim(jobId, { attempt, previousRevision, workerId }): Promise<ClaimResult> {
      const run = { kind: 'run', workerId, attempt, atMs: clock.nowMs() } as const;
      const result = await write(jobId, run, {
        expected: previousRevision,
        // The first try's refusal is somebody else's win, were it an earlier life of this worker.
        isOurs: (standing, unsure) =>
          unsure &&
          standing.kind === 'run' &&
          standing.run.workerId === workerId &&
          standing.run.attempt === attempt,
      });
      if (result.kind === 'refused') return { kind: 'lost', standing: result.standing };
      remember(jobId, result.revision);
      return { kind: 'won', revision: result.revision };
    },

    async end(jobId, end: LedgerEnd, revision): Promise<EndResult> {
      const { attempt, workerId } = end;
      const result = await write(jobId, end, {
        expected: revision,
        // Only this worker writes the end of its attempt, however often it has to ask.
        isOurs: (standing, unsure) => {
          if (standing.kind !== 'end') return false;
          if (workerId === undefined) return unsure && standing.end.atMs === end.atMs;
          return isOwnEnd(standingEntry(standing), { workerId, attempt });
        },
      });
      ownClaims.delete(jobId);
      return result.kind === 'written'
        ? { kind: 'ended', revision: result.revision }
        : { kind: 'fenced', standing: result.standing };
    },

    async release(jobId, by) {
      const standing = await settled(patience, () => readNow(jobId));
      if (standing.kind !== 'run') return standing;
      const { attempt } = standing.run;
      const released = { kind: 'released', attempt, atMs: clock.nowMs(), by } as const;
      const result = await write(jobId, released, {
        expected: standing.revision,
        isOurs: (now) => now.kind === 'released' && now.released.atMs === released.atMs,
      });
      return result.kind === 'written'
        ? { kind: 'released', revision: result.revision, released }
        : result.standing;
    },

    async read(jobId) {
      return await settled(patience, () => readNow(jobId));
    },
  };
}
