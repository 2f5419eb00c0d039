/**
 * The verdict on a run, from what was seen outside the product alone: what NATS stored, what stands
 * in the emulated Discord, and its record.
 */
import { botSection } from '@starling/config';
import type { AnswerVerdict } from './answer-verdict.ts';
import type { DiscordRecord } from './discord-side.ts';
import type { Interruption } from './interruptions.ts';
import type { SaidMessage } from './message-load.ts';
import { type JudgedCall, streamsOf } from './stream-ends.ts';
import { minStreaming, minStrikes, type Strike } from './strikes.ts';

/** A message with what became of it. Times are milliseconds since the load began. */
export interface JudgedMessage extends SaidMessage {
  /** It was seen in `JOBS`. */
  readonly stored: boolean;
  /** The record says that an answer is still owed. */
  readonly owed: boolean;
  readonly verdict: AnswerVerdict;
  /** From when it was due to the first visible text, milliseconds. */
  readonly firstTextMs?: number;
  /** When what stands below it changed last. */
  readonly endedMs?: number;
  /** Its calls of the model; more than one means that it ran again. */
  readonly calls: readonly JudgedCall[];
  /** Its person took it back. */
  readonly interruption?: Interruption;
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
  /** What went wrong with the run itself. */
  readonly troubles: readonly string[];
}

/**
 * The counts; `said` = accepted + refused + notAccepted, `accepted` = answered + failed + stopped +
 * withdrawn + unfinished + lost.
 */
export interface Tally {
  readonly said: number;
  /** Stored in `JOBS`, or shown to have been by a model's answer. */
  readonly accepted: number;
  /** With a whole answer of the model. */
  readonly answered: number;
  /** Accepted, and told honestly that there is no answer. */
  readonly failed: number;
  /** Accepted, stopped by its person, and it says so. */
  readonly stopped: number;
  /** Accepted, and deleted by its person: nothing is owed. */
  readonly withdrawn: number;
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
  /** Accepted, and what stands there changed later than its deadline allows. */
  readonly late: number;
  /** Ran again, somewhere else. */
  readonly takenOver: number;
  /** Taken back while the model streamed for them, and the streams that went on all the same. */
  readonly takenBack: number;
  readonly streamedOn: number;
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

/** A job has 60 s by default; with its answer or an honest failure it ends within 15 s more. */
const endsWithinMs = botSection.jobDeadlineMs.default + 15_000;
/** Judged by counts of their own. */
const ownRules = new Set(['answered_twice', 'unanswered']);
/**
 * What a cluster that was killed may do to those who use its buttons: one that it had read expires, and
 * one that it had acknowledged is told to its successor again, whose callback Discord refuses.
 */
const rulesOfKilledClusters = new Set(['interaction_expired', 'acknowledged_twice']);

export function judge(facts: ChaosFacts): Verdict {
  const { record, strikes } = facts;
  const sorted = facts.messages.map((message) => ({ message, fate: fateOf(message, strikes) }));
  const count = (...fates: readonly Fate[]) =>
    sorted.filter(({ fate }) => fates.includes(fate)).length;
  const streams = facts.messages.map((message) => streamsOf(message, strikes));
  const tally: Tally = {
    said: sorted.length,
    accepted: count('answered', 'failed', 'stopped', 'withdrawn', 'unfinished', 'lost'),
    answered: count('answered'),
    failed: count('failed'),
    stopped: count('stopped'),
    withdrawn: count('withdrawn'),
    unfinished: count('unfinished'),
    lost: count('lost'),
    refused: count('refused'),
    notAccepted: count('absent', 'missed'),
    missed: count('missed'),
    late: facts.messages.filter(isLate).length,
    takenOver: facts.messages.filter(({ calls }) => calls.length > 1).length,
    takenBack: streams.filter(({ open }) => open > 0).length,
    streamedOn: streams.reduce((sum, { streamedOn }) => sum + streamedOn.length, 0),
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
export type Fate =
  | 'answered'
  | 'failed'
  | 'stopped'
  | 'withdrawn'
  | 'unfinished'
  | 'lost'
  | 'refused'
  | 'absent'
  | 'missed';

export function fateOf(message: JudgedMessage, strikes: readonly Strike[]): Fate {
  const { interruption, owed, stored, verdict } = message;
  // Only a worker that was given the job can have brought a model's text.
  const accepted = stored || verdict === 'whole' || verdict === 'halfway';
  if (accepted) {
    if (owed) return 'lost';
    if (interruption?.kind === 'delete' && verdict !== 'halfway') return 'withdrawn';
    if (interruption?.kind === 'stop' && verdict === 'note') return 'stopped';
    return ({ whole: 'answered', note: 'failed', halfway: 'unfinished', none: 'lost' } as const)[
      verdict
    ];
  }
  if (verdict === 'note') return 'refused';
  return wasAbsent(message, strikes) ? 'absent' : 'missed';
}

/** Whether a message that was accepted ended later than its job may take. */
function isLate({ dueMs, endedMs, stored }: JudgedMessage): boolean {
  return stored && endedMs !== undefined && endedMs - dueMs > endsWithinMs;
}

/** Whether a cluster was dead when a message came, or died before it could have stored it. */
function wasAbsent({ dueMs, saidMs }: SaidMessage, strikes: readonly Strike[]): boolean {
  return strikes.some(
    ({ fault, atMs, overMs }) =>
      fault === 'kill-bot' && saidMs >= atMs - readAheadMs && dueMs <= overMs,
  );
}

const wrong: ReadonlySet<Fate> = new Set(['lost', 'unfinished', 'missed', 'failed']);

/** Why a message is to be looked into; undefined for one that is as it should be. */
export function wrongOf(
  message: JudgedMessage,
  { stranded, strikes }: Pick<ChaosFacts, 'stranded' | 'strikes'>,
): string | undefined {
  const fate = fateOf(message, strikes);
  if (stranded.includes(message.id)) return `${fate}, left in JOBS`;
  if (isLate(message)) return `${fate}, late`;
  if (streamsOf(message, strikes).streamedOn.length > 0) return `${fate}, streamed on`;
  return wrong.has(fate) ? fate : undefined;
}

/** A Redis that lost everything may cost doubles among the answers of that moment: `enforce_nonce` bounds them. */
function allowedDoubles(strikes: readonly Strike[]): number {
  return strikes
    .filter(({ fault }) => fault === 'restart-redis-empty' || fault === 'redis-flush')
    .reduce((sum, { streaming }) => sum + streaming, 0);
}

/** A worker that was paused, or cut off, and found its jobs still its own was no zombie: that shows nothing. */
function hadNoZombie({ takenOver }: Tally, { strikes }: ChaosFacts): boolean {
  const held = strikes.filter(({ fault }) => fault === 'pause-worker' || fault === 'cut-network');
  return strikes.length > 0 && held.length === strikes.length && takenOver === 0;
}

function problemsOf(tally: Tally, facts: ChaosFacts): string[] {
  const { record, strikes, troubles, unsent } = facts;
  const allowed = allowedDoubles(strikes);
  const wanted = tally.accepted - tally.stopped - tally.withdrawn;
  const killed = strikes.some(({ fault }) => fault === 'kill-bot');
  const broken = Object.entries(tally.violations)
    .filter(([rule]) => !killed || !rulesOfKilledClusters.has(rule))
    .map(([rule, times]) => `${rule} × ${times}`);
  // An interaction that expired is owed nothing any more, and listed apart.
  const listed = record.owed.length + tally.expired + (tally.violations.interaction_expired ?? 0);
  const enough = strikes.filter(({ streaming }) => streaming >= minStreaming).length;
  const checks: readonly (readonly [holds: boolean, problem: string])[] = [
    [enough >= minStrikes, `${enough} faults struck, ${minStrikes} are the least`],
    [tally.accepted >= minAccepted, `${tally.accepted} accepted, ${minAccepted} are the least`],
    [
      !hadNoZombie(tally, facts),
      'no job was taken over: whatever was held was back within its lease',
    ],
    [unsent === 0, `${unsent} messages were due and could not be said`],
    [record.forgotten === 0, 'the record of Discord is incomplete'],
    [listed === (record.counts.waiting ?? 0), 'the record lists not all it is owed'],
    [tally.lost === 0, `${tally.lost} accepted messages are lost`],
    [tally.doubled <= allowed, `${tally.doubled} messages were answered twice`],
    [tally.unfinished === 0, `${tally.unfinished} answers were left unfinished`],
    [tally.missed === 0, `${tally.missed} messages were dropped although every cluster was there`],
    [tally.stranded === 0, `${tally.stranded} jobs are left in JOBS`],
    [tally.late === 0, `${tally.late} messages ended later than ${endsWithinMs / 1000} s`],
    [tally.takenBack > 0, 'no question was taken back while its answer streamed'],
    [
      tally.streamedOn === 0,
      `${tally.streamedOn} streams of the model went on for questions that were taken back`,
    ],
    [
      tally.answered >= minAnsweredShare * wanted,
      `only ${tally.answered} of ${wanted} accepted messages were answered by the model`,
    ],
    [broken.length === 0, `rules of Discord were broken: ${broken.join(', ')}`],
  ];
  return [...troubles, ...checks.filter(([holds]) => !holds).map(([, problem]) => problem)];
}
