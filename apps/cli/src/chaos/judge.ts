/**
 * The verdict on a run, from what was seen outside the product alone: what NATS stored, what stands
 * in the emulated Discord, and its record.
 */
import type { AnswerVerdict } from './answer-verdict.ts';
import type { DiscordRecord } from './discord-side.ts';
import type { SaidMessage } from './message-load.ts';
import { minStreaming, minStrikes, type Strike } from './strikes.ts';

/** A message with what became of it. */
export interface JudgedMessage extends SaidMessage {
  /** It was seen in `JOBS`. */
  readonly stored: boolean;
  /** The record says that an answer is still owed. */
  readonly owed: boolean;
  readonly verdict: AnswerVerdict;
  /** From when it was due to the first visible text, milliseconds. */
  readonly firstTextMs?: number;
}

/** What a run has shown. */
export interface ChaosFacts {
  readonly messages: readonly JudgedMessage[];
  readonly strikes: readonly Strike[];
  readonly record: Pick<
    DiscordRecord,
    'counts' | 'expired' | 'forgotten' | 'owed' | 'violationCounts'
  >;
  readonly unsent: number;
  /** Ids of the jobs left in `JOBS` when the wait was over. */
  readonly stranded: readonly string[];
  /** Calls of the model that the provider saw; more than were accepted means that jobs ran again. */
  readonly modelCalls: number;
  /** What went wrong with the run itself. */
  readonly troubles: readonly string[];
}

/** The counts; `said` = accepted + refused + notAccepted, `accepted` = answered + failed + unfinished + lost. */
export interface Tally {
  readonly said: number;
  /** Stored in `JOBS`, or shown to have been by a model's answer. */
  readonly accepted: number;
  /** With a whole answer of the model. */
  readonly answered: number;
  /** Accepted, and told honestly that there is no answer. */
  readonly failed: number;
  /** Accepted, and something was left standing that is neither. */
  readonly unfinished: number;
  /** Accepted, and nothing is there. */
  readonly lost: number;
  /** Never stored, and told so. */
  readonly refused: number;
  /** Never stored, and nothing is there. */
  readonly notAccepted: number;
  /** Those of them that were said while every cluster was there to read them. */
  readonly missed: number;
  readonly doubled: number;
  readonly expired: number;
  readonly stranded: number;
  /** Other rules that the bot broke. */
  readonly violations: Readonly<Record<string, number>>;
}

export interface Verdict {
  readonly tally: Tally;
  /** Why the run does not hold; none means that it does. */
  readonly problems: readonly string[];
}

/** Fewer accepted messages are no load. */
const minAccepted = 100;
/** A fleet that mostly apologises has kept the promise of one message by its letter only. */
const minAnsweredShare = 0.99;
/** A question that a cluster has read is retried for 5 s before NATS has it; its death loses it until then. */
const readAheadMs = 6_000;

/** Judged by counts of their own. */
const ownRules = new Set(['answered_twice', 'unanswered']);

export function judge(facts: ChaosFacts): Verdict {
  const { record, strikes } = facts;
  const sorted = facts.messages.map((message) => ({ message, fate: fateOf(message, strikes) }));
  const count = (...fates: readonly Fate[]) =>
    sorted.filter(({ fate }) => fates.includes(fate)).length;
  const tally: Tally = {
    said: sorted.length,
    accepted: count('answered', 'failed', 'unfinished', 'lost'),
    answered: count('answered'),
    failed: count('failed'),
    unfinished: count('unfinished'),
    lost: count('lost'),
    refused: count('refused'),
    notAccepted: count('absent', 'missed'),
    missed: count('missed'),
    doubled: record.violationCounts.answered_twice ?? 0,
    expired: record.expired.length,
    stranded: facts.stranded.length,
    violations: Object.fromEntries(
      Object.entries(record.violationCounts).filter(([rule]) => !ownRules.has(rule)),
    ),
  };
  return { tally, problems: problemsOf(tally, facts) };
}

/** What became of a message; `absent` and `missed` are the two ways of not being accepted. */
export type Fate = 'answered' | 'failed' | 'unfinished' | 'lost' | 'refused' | 'absent' | 'missed';

export function fateOf(message: JudgedMessage, strikes: readonly Strike[]): Fate {
  const { owed, stored, verdict } = message;
  // Only a worker that was given the job can have brought a model's text.
  const accepted = stored || verdict === 'whole' || verdict === 'halfway';
  if (accepted) {
    if (owed) return 'lost';
    return ({ whole: 'answered', note: 'failed', halfway: 'unfinished', none: 'lost' } as const)[
      verdict
    ];
  }
  if (verdict === 'note') return 'refused';
  return wasAbsent(message, strikes) ? 'absent' : 'missed';
}

/** Whether a cluster was dead when a message came, or died before it could have stored it. */
function wasAbsent({ dueMs, saidMs }: SaidMessage, strikes: readonly Strike[]): boolean {
  return strikes.some(
    ({ fault, atMs, overMs }) =>
      fault === 'kill-bot' && saidMs >= atMs - readAheadMs && dueMs <= overMs,
  );
}

/** A Redis that lost everything may cost doubles among the answers of that moment: `enforce_nonce` bounds them. */
function allowedDoubles(strikes: readonly Strike[]): number {
  return strikes
    .filter(({ fault }) => fault === 'restart-redis-empty')
    .reduce((sum, { streaming }) => sum + streaming, 0);
}

/** A worker that was paused and found its jobs still its own was no zombie: that shows nothing. */
function hadNoZombie(tally: Tally, { modelCalls, strikes }: ChaosFacts): boolean {
  const paused = strikes.length > 0 && strikes.every(({ fault }) => fault === 'pause-worker');
  return paused && modelCalls <= tally.accepted;
}

function problemsOf(tally: Tally, facts: ChaosFacts): string[] {
  const { record, strikes, troubles, unsent } = facts;
  const allowed = allowedDoubles(strikes);
  const broken = Object.entries(tally.violations).map(([rule, times]) => `${rule} × ${times}`);
  const enough = strikes.filter(({ streaming }) => streaming >= minStreaming).length;
  const checks: readonly (readonly [holds: boolean, problem: string])[] = [
    [enough >= minStrikes, `${enough} faults struck, ${minStrikes} are the least`],
    [tally.accepted >= minAccepted, `${tally.accepted} accepted, ${minAccepted} are the least`],
    [!hadNoZombie(tally, facts), 'no job was taken over: every pause was shorter than the lease'],
    [unsent === 0, `${unsent} messages were due and could not be said`],
    [record.forgotten === 0, 'the record of Discord is incomplete'],
    [record.owed.length === (record.counts.waiting ?? 0), 'the record lists not all it is owed'],
    [tally.lost === 0, `${tally.lost} accepted messages are lost`],
    [tally.doubled <= allowed, `${tally.doubled} messages were answered twice`],
    [tally.unfinished === 0, `${tally.unfinished} answers were left unfinished`],
    [tally.missed === 0, `${tally.missed} messages were dropped although every cluster was there`],
    [tally.stranded === 0, `${tally.stranded} jobs are left in JOBS`],
    [
      tally.answered >= minAnsweredShare * tally.accepted,
      `only ${tally.answered} of ${tally.accepted} accepted messages were answered by the model`,
    ],
    [broken.length === 0, `rules of Discord were broken: ${broken.join(', ')}`],
  ];
  return [...troubles, ...checks.filter(([holds]) => !holds).map(([, problem]) => problem)];
}
