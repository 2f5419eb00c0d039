import { defaultFairQueueLimits, type FairQueueLimits } from '../fair/queued-job.ts';

/** Times (milliseconds) and bounds of a balancer's core. */
export interface CoreLimits {
  /** Between ticks. */
  readonly tickMs: number;
  /** A peer that was silent this long is dead: three missed heartbeats of 250 ms. */
  readonly peerDeadMs: number;
  /** A report is a credit for this long. */
  readonly reportValidMs: number;
  /** A job is left to the balancers ranked before us for this long a rank. */
  readonly rankDelayMs: number;
  /** A peer's grant that lies unspent for this long a rank may be spent in its place. */
  readonly lieMs: number;
  /** A peer's word that it took a job is believed for this long unless a report lists the job. */
  readonly hintMs: number;
  /** A running job that no report lists for this long is looked up in the ledger. */
  readonly silenceMs: number;
  /** After the own connection came back, the silence clock stands still for this long more. */
  readonly deafAfterMs: number;
  /** The claim must stand unchanged this long between two reads before it is replaced. */
  readonly confirmMs: number;
  /** A ledger read or write without an answer is repeated after this long. */
  readonly ledgerRetryMs: number;
  /** Tries of a job before it fails. */
  readonly maxAttempts: number;
  /** A job with less time left than this is failed instead of being started. */
  readonly leastRunMs: number;
  /** A job whose model no live worker serves waits this long for one that does, from when the last one died. */
  readonly unservedMs: number;
  /** A running job this far past its deadline is ended in its worker's place. */
  readonly overdueMs: number;
  /** An ended job that is still stored after this long is told to its owner, again and again. */
  readonly undeliveredMs: number;
  /** Conversations whose last worker is remembered. */
  readonly conversations: number;
  /** For so long after a job's end its worker is believed to have the answer for those who share it. */
  readonly callKeptMs: number;
  /** Ended calls that are remembered for it. */
  readonly callsKept: number;
  readonly queue: FairQueueLimits;
}

export const defaultCoreLimits: CoreLimits = {
  tickMs: 250,
  peerDeadMs: 750,
  reportValidMs: 750,
  rankDelayMs: 3,
  lieMs: 3,
  hintMs: 500,
  silenceMs: 3_000,
  deafAfterMs: 3_000,
  confirmMs: 500,
  ledgerRetryMs: 1_000,
  maxAttempts: 3,
  leastRunMs: 1_000,
  unservedMs: 5_000,
  overdueMs: 5_000,
  undeliveredMs: 6_000,
  conversations: 20_000,
  callKeptMs: 5_000,
  callsKept: 20_000,
  queue: defaultFairQueueLimits,
};
