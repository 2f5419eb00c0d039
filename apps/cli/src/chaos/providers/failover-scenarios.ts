/** Every way in which the first rung of a ladder may fail, and what a reader has to see all the same. */
import type { PlayedFault } from './provider-door.ts';
import { timers } from './provider-fleet.ts';

/** One scenario: a ladder of two rungs, of which the first one fails whenever it is called. */
export interface FailoverScenario {
  readonly name: string;
  /** What the emulated provider does to each call of the first rung. */
  readonly fault?: PlayedFault;
  /** Another address for the first rung, by the emulator's. */
  readonly place?: (emulatorUrl: string) => string;
  /**
   * What stands there in the end: the whole answer, of the first rung or of the second; or a `note`, an
   * honest failure with what was shown before.
   */
  readonly sees: 'first' | 'second' | 'note';
  /** By when its first text has to stand there, milliseconds after the question. */
  readonly firstTextWithinMs: number;
  /** By when all of it has to; an edit a second is what Discord takes. */
  readonly withinMs: number;
}

/** The first text when nothing is wrong: 0.1 s, and what a busy machine adds. */
const soonMs = 1_000;
/** From there to the whole answer: one edit. */
const editMs = 1_500;
/** The first text stands before these strike. */
const afterTokens = 8;

const status = (code: number, fields: object = {}): PlayedFault => ({
  ...{ kind: 'status', status: code },
  ...fields,
});

/** @param costsMs what the fault takes before it is known, ahead of the first text or after it */
const stepsDown = (
  name: string,
  fault: PlayedFault,
  costsMs: { readonly before?: number; readonly after?: number } = {},
): FailoverScenario => ({
  ...{ name, fault, sees: 'second' },
  ...within(costsMs),
});

function within({ after = 0, before = 0 }: { readonly before?: number; readonly after?: number }) {
  const firstTextWithinMs = before + soonMs;
  return { firstTextWithinMs, withinMs: firstTextWithinMs + after + editMs };
}

const refusals: readonly FailoverScenario[] = [
  401, 402, 403, 404, 408, 429, 500, 502, 503, 529,
].map((code) => stepsDown(code === 502 ? '502-html' : `${code}`, status(code)));

/** Nobody listens on it: the system gives it to no server. */
const closedPort = 1;

export const failoverScenarios: readonly FailoverScenario[] = [
  {
    ...{ name: 'connection-refused', sees: 'second', ...within({}) },
    place: () => `http://127.0.0.1:${closedPort}/v1`,
  },
  {
    ...{ name: 'dns-failure', sees: 'second', ...within({ before: timers.connectMs }) },
    // RFC 6761: a name that never resolves.
    place: () => 'http://provider.invalid/v1',
  },
  {
    ...{ name: 'tls-failure', sees: 'second', ...within({ before: timers.connectMs }) },
    place: (emulatorUrl) => `${emulatorUrl.replace('http:', 'https:')}/v1`,
  },
  stepsDown('header-stall', { kind: 'header-stall' }, { before: timers.firstTokenMs }),
  stepsDown('first-token-stall', { kind: 'first-token-stall' }, { before: timers.firstTokenMs }),
  stepsDown(
    'mid-stream-stall',
    { kind: 'mid-stream-stall', afterTokens },
    { after: timers.idleMs },
  ),
  stepsDown('truncated-stream', { kind: 'truncated', afterTokens }),
  stepsDown('error-in-stream', { kind: 'error-in-stream', afterTokens }),
  stepsDown('error-before-text', { kind: 'error-in-stream', afterTokens: 0 }),
  stepsDown('reset-before', { kind: 'reset', at: 'before' }),
  stepsDown('reset-mid-stream', { kind: 'reset', at: 'mid', afterTokens }),
  { name: '400', fault: status(400), sees: 'note', ...within({}) },
  ...refusals,
  stepsDown('429-retry-after', status(429, { retryAfterS: 30 })),
  stepsDown('garbage-json', { kind: 'garbage-json', afterTokens }),
  stepsDown('huge-chunk', { kind: 'huge-chunk', afterTokens }),
  {
    ...{ name: 'endless-stream', fault: { kind: 'endless' }, sees: 'note' },
    ...within({ after: timers.hardCapMs }),
  },
  {
    ...{ name: 'wrong-content-type', fault: { kind: 'wrong-content-type' }, sees: 'first' },
    ...within({}),
  },
  { name: 'no-usage', fault: { kind: 'no-usage' }, sees: 'first', ...within({}) },
];

/** A question whose first rung is well. */
export const usually = within({});
