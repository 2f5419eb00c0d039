/**
 * The judge. The parts report what happened; the record alone decides what of it broke a rule, so
 * that a run is judged from outside the product. {@link RuleName} lists the rules; `owed.ts` defines
 * when a message counts as answered, and answered twice.
 */
import type { Clock } from '@starling/clock';
import type { KnobStore } from '../core/knobs.ts';
import type { CountName, RecordKeeper, RuleName, Violation } from '../core/ports.ts';
import { createOwed, type Entry, type Owed } from './owed.ts';
import { createSlidingCount } from './sliding-count.ts';

/** What is open or went wrong with one message or interaction. */
export interface OwedReport {
  readonly kind: 'message' | 'interaction';
  readonly id: string;
  readonly channelId: string;
  readonly userId: string;
  readonly ageMs: number;
  /** Sessions that took it; 0: nobody owned its shard. */
  readonly owners: number;
}

/** All that the record has to say. */
export interface RecordReport {
  readonly violations: readonly Violation[];
  /** Violations by rule, also those that were too many to keep. */
  readonly violationCounts: Readonly<Partial<Record<RuleName, number>>>;
  readonly counts: Readonly<Record<string, number>>;
  /** Not answered and not yet due. */
  readonly owed: readonly OwedReport[];
  /** Messages and interactions answered. */
  readonly answered: number;
  /** Interactions that no live session held within their 3 s: nobody's fault, and not `lost`. */
  readonly expired: readonly OwedReport[];
  /** Unanswered past their time although they had an owner, among the violations. */
  readonly lost: number;
  /** Open entries forgotten at the bound `owedKept`; not 0 means that the record is incomplete. */
  readonly forgotten: number;
}

export interface RecordQuery {
  /** Judges `unanswered` by this age instead of the knob `answerDueMs`. */
  readonly answerDueMs?: number;
}

export interface EmulatorRecord extends RecordKeeper {
  query(options?: RecordQuery): RecordReport;
  /** Forgets everything, also what is owed. */
  reset(): void;
}

/** Lists in a report end after so many; the counts are whole. */
const maxListed = 1000;

export function createRecord(parts: {
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly knobs: KnobStore;
}): EmulatorRecord {
  const knobs = () => parts.knobs.current;
  const fresh = () => ({
    kept: [] as Violation[],
    totals: new Map<RuleName, number>(),
    counts: new Map<CountName, number>(),
    owed: createOwed(() => knobs().owedKept),
    edits: createSlidingCount(() => knobs().editsPerChannel),
    /** Interactions that reached a session before they were reported as addressed. */
    deliveredEarly: new Map<string, number>(),
  });
  let state = fresh();

  function violation(found: Violation): void {
    state.totals.set(found.rule, (state.totals.get(found.rule) ?? 0) + 1);
    if (state.kept.length < knobs().violationsKept) state.kept.push(found);
  }

  return {
    violation,
    addressed(event) {
      state.owed.open(event);
      const deliveredMs = state.deliveredEarly.get(event.id);
      const entry = state.owed.get(event.id);
      if (entry && deliveredMs !== undefined) entry.deliveredMs ??= deliveredMs;
      state.deliveredEarly.delete(event.id);
    },
    answered(event) {
      const verdict = state.owed.answer(event);
      if (verdict.kind !== 'second_answer') return;
      const { entry, reason } = verdict;
      const [first] = entry.answers.values();
      violation({
        rule: 'answered_twice',
        atMs: event.atMs,
        detail: {
          toId: entry.id,
          channelId: event.channelId,
          reason,
          firstMessageId: first?.messageId,
          secondMessageId: event.messageId,
        },
      });
    },
    acknowledged({ interactionId, atMs }) {
      const entry = state.owed.get(interactionId);
      if (!entry) return;
      entry.acknowledgements += 1;
      entry.acknowledgedMs ??= atMs;
      if (entry.acknowledgements === 1) return;
      violation({
        rule: 'acknowledged_twice',
        atMs,
        detail: { toId: interactionId },
      });
    },
    delivered({ interactionId, atMs }) {
      const entry = state.owed.get(interactionId);
      if (entry) entry.deliveredMs ??= atMs;
      else {
        state.deliveredEarly.set(interactionId, atMs);
        if (state.deliveredEarly.size > maxListed) {
          for (const oldest of state.deliveredEarly.keys()) {
            state.deliveredEarly.delete(oldest);
            break;
          }
        }
      }
    },
    edited({ channelId, messageId, atMs }) {
      const { limit, perMs } = knobs().editsPerChannel;
      const inWindow = state.edits.add(channelId, atMs);
      if (inWindow <= limit) return;
      violation({
        rule: 'edits_over_limit',
        atMs,
        detail: { channelId, messageId, limit, perMs },
      });
    },
    withdrawn: ({ id }) => state.owed.withdraw(id),
    deleted: ({ messageId }) => state.owed.retract(messageId),
    count(name) {
      state.counts.set(name, (state.counts.get(name) ?? 0) + 1);
    },
    query: (options) =>
      report({
        ...state,
        nowMs: parts.clock.nowMs(),
        answerDueMs: options?.answerDueMs ?? knobs().answerDueMs,
        ackMs: knobs().interactionAckMs,
      }),
    reset() {
      state = fresh();
    },
  };
}

/** Judges what is open by its age, and puts it beside what was found before. */
function report(facts: {
  readonly kept: readonly Violation[];
  readonly totals: ReadonlyMap<RuleName, number>;
  readonly counts: ReadonlyMap<CountName, number>;
  readonly owed: Owed;
  readonly nowMs: number;
  readonly answerDueMs: number;
  readonly ackMs: number;
}): RecordReport {
  const { nowMs, ackMs } = facts;
  const totals = new Map(facts.totals);
  const violations = [...facts.kept];
  const owed: OwedReport[] = [];
  const expired: OwedReport[] = [];
  let lost = 0;
  let waiting = 0;
  let expiredCount = 0;
  const convict = (rule: RuleName, entry: Entry, detail: object): void => {
    totals.set(rule, (totals.get(rule) ?? 0) + 1);
    const listed = violations.length < facts.kept.length + maxListed;
    if (listed)
      violations.push({ rule, atMs: nowMs, detail: { ...openReport(entry, nowMs), ...detail } });
  };

  for (const entry of facts.owed.waiting()) {
    waiting += 1;
    const ageMs = nowMs - entry.atMs;
    const due = entry.atMs + ackMs;
    const acknowledged = entry.acknowledgedMs !== undefined && entry.acknowledgedMs <= due;
    if (entry.kind === 'interaction' && ageMs > ackMs && !acknowledged) {
      const hadOwner = entry.deliveredMs !== undefined && entry.deliveredMs <= due;
      if (hadOwner) convict('interaction_expired', entry, { acknowledgedMs: entry.acknowledgedMs });
      else {
        expiredCount += 1;
        if (expired.length < maxListed) expired.push(openReport(entry, nowMs));
      }
    } else if (ageMs > facts.answerDueMs) {
      convict('unanswered', entry, { acknowledged });
      if (entry.owners > 0) lost += 1;
    } else if (owed.length < maxListed) owed.push(openReport(entry, nowMs));
  }

  return {
    violations,
    violationCounts: Object.fromEntries(totals),
    counts: { ...Object.fromEntries(facts.counts), waiting, expired: expiredCount },
    owed,
    answered: facts.owed.answeredCount,
    expired,
    lost,
    forgotten: facts.owed.droppedCount,
  };
}

function openReport(entry: Entry, nowMs: number): OwedReport {
  const { kind, id, channelId, userId, owners } = entry;
  return { kind, id, channelId, userId, ageMs: nowMs - entry.atMs, owners };
}
