/** What the load generator is told, and what it tells: the two ends of its only endpoint. */
import { z } from 'zod';

/** The bounds of one run: what is beyond them is a mistake in a benchmark. */
const maxRunMs = 600_000;
const maxPerSecond = 100_000;

const arrivals = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('even'), perSecond: z.number().positive().max(maxPerSecond) }),
  z.strictObject({
    kind: z.literal('poisson'),
    perSecond: z.number().positive().max(maxPerSecond),
    seed: z.int().min(0),
  }),
]);

export const loadPlan = z.strictObject({
  /** Of the whole endpoint: `http://127.0.0.1:9001/v1/chat/completions`. */
  url: z.url(),
  headers: z.record(z.string(), z.string()),
  /** A header in which each call has a value of its own, that no other call of any run has. */
  keyHeader: z.string().min(1).max(64).optional(),
  /** API keys, one call after the other: as many callers. */
  bearers: z.array(z.string().min(1)).min(1).max(256),
  /** What every call's body has in common; `messages` is added. */
  body: z.looseObject({ model: z.string(), stream: z.boolean() }),
  /** Begins every prompt, so that no two runs ask the same; the call's number follows. */
  promptPrefix: z.string().max(200),
  /** LLM tokens of the answers, one call after the other, from the start again at the end. */
  answerTokens: z.array(z.int().min(1)).max(100_000).optional(),
  pace: z.discriminatedUnion('kind', [
    /** Calls are due at fixed times; a late answer holds none of them up. */
    z.strictObject({ kind: z.literal('open'), arrivals }),
    /** So many calls at once, each followed by the next: for what a path can bear at most. */
    z.strictObject({ kind: z.literal('closed'), inFlight: z.int().min(1).max(4096) }),
  ]),
  /** Calls due earlier than this are made and not measured. */
  warmUpMs: z.number().min(0).max(maxRunMs),
  /** After the warm-up. */
  measureMs: z.number().positive().max(maxRunMs),
  /** The most calls that are made, the warm-up's among them. */
  maxCalls: z.int().min(1).max(1_000_000),
  /** A call due while so many are in flight is not made, and counted as not sent. */
  maxInFlight: z.int().min(1).max(4096),
  /** How long the calls in flight at the end may take; then they are given up and count as failed. */
  drainMs: z.number().min(0).max(maxRunMs),
  /** Gives up some calls in mid-answer, as a reader who closes the page. */
  aborts: z
    .strictObject({
      share: z.number().min(0).max(1),
      /** After the first token when the answer streams, else after the sending: drawn evenly. */
      afterMs: z.strictObject({ min: z.number().min(0), max: z.number().min(0) }),
      from: z.enum(['sent', 'first-token']),
      seed: z.int().min(0),
    })
    .optional(),
  /** Tells each measured call by itself: at most this many. */
  maxTraces: z.int().min(0).max(200_000),
});

/** One run of the load generator. */
export type LoadPlan = z.infer<typeof loadPlan>;

const histogram = z.array(z.tuple([z.int().min(0), z.int().min(1)]).readonly()).readonly();

const callTrace = z.strictObject({
  prompt: z.string(),
  /** LLM tokens that the answer was told to have. */
  answerTokens: z.int().optional(),
  /** Wall-clock milliseconds: when it was due, and when it was given up. */
  dueAtMs: z.number(),
  abortedAtMs: z.number().optional(),
  /** Milliseconds after it was due. */
  endMs: z.number(),
  ending: z.enum(['whole', 'aborted', 'failed']),
});

/** One call, told by itself. */
export type CallTrace = z.infer<typeof callTrace>;

export const loadResult = z.strictObject({
  /** Calls of the whole run, warm-up included: what the CPU time is divided by. */
  calls: z.int(),
  /** Measured calls by their ending. `notSent` were due at the bound of what may be in flight. */
  whole: z.int(),
  aborted: z.int(),
  failed: z.int(),
  notSent: z.int(),
  statuses: z.record(z.string(), z.int()),
  /** The first few failures, in words. */
  problems: z.array(z.string()),
  /** Whole answers that ended within the measured time, by its length. */
  perSecond: z.number(),
  /** From the moment a call was due to the end of its answer, and to its first token of text. */
  latency: histogram,
  firstToken: histogram,
  /** How late the generator itself sent: part of the latencies above, and the same for every target. */
  lateness: histogram,
  traces: z.array(callTrace),
});

/** What came of a run; times in histograms are milliseconds. */
export type LoadResult = z.infer<typeof loadResult>;
