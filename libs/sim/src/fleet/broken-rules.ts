/**
 * Rules of the product that `--break` swaps, each for what somebody might have written instead. The
 * checker is never touched: it must find what follows.
 */
import {
  type CoreLimits,
  defaultCoreLimits,
  type EndRule,
  endRule,
  JobLine,
  ledgerStep,
  type Turn,
} from '@starling/balance';
import type { JobId } from '@starling/contracts';
import type { LedgerRule } from './store.ts';

export const breakNames = ['fencing', 'release', 'dedupe', 'claim', 'silence', 'line'] as const;
export type BreakName = (typeof breakNames)[number];

/** Where a balancer's calls of the ledger wait for their turn. */
export type Line = Pick<JobLine, 'ask' | 'sizes'>;

/** The rules that a run goes by. */
export interface Rules {
  readonly ledger: LedgerRule;
  readonly core: CoreLimits;
  readonly end: EndRule;
  readonly newLine: (atOnce: number) => Line;
}

const sound: Rules = {
  ledger: ledgerStep,
  core: defaultCoreLimits,
  end: endRule,
  newLine: (atOnce) => new JobLine(atOnce),
};

/** The product's rules with one of them broken, or none. */
export function rulesWith(broken: BreakName | undefined): Rules {
  switch (broken) {
    case undefined:
      return sound;
    case 'fencing':
      // An end is written by whoever comes, without asking whether its claim still stands.
      return { ...sound, ledger: endsUnfenced };
    case 'release':
      // A worker that was fenced keeps its slot: only an end of its own gives it back.
      return { ...sound, end: (answer) => (answer === 'refused' ? 'held' : endRule(answer)) };
    case 'dedupe':
      // A job that comes again after its end is taken for a new one.
      return { ...sound, ledger: endsForgotten };
    case 'claim':
      // A worker writes its claim over whatever stands there.
      return { ...sound, ledger: claimsUnasked };
    case 'silence':
      // One missed report counts as a death, whether or not we could have heard it.
      return {
        ...sound,
        core: { ...defaultCoreLimits, silenceMs: 200, deafAfterMs: 0, confirmMs: 0 },
      };
    case 'line':
      // What is to be asked is asked at once, however much of it is under way.
      return { ...sound, newLine: () => new NoLine() };
  }
}

const endsUnfenced: LedgerRule = (current, write, nextRevision) =>
  write.record.kind === 'end'
    ? { kind: 'written', entry: { revision: nextRevision, record: write.record } }
    : ledgerStep(current, write, nextRevision);

const endsForgotten: LedgerRule = (current, write, nextRevision) => {
  const again = current?.record.kind === 'end' && write.expected === undefined;
  return ledgerStep(again ? undefined : current, write, nextRevision);
};

const claimsUnasked: LedgerRule = (current, write, nextRevision) =>
  write.record.kind === 'run' && current?.record.kind !== 'end'
    ? { kind: 'written', entry: { revision: nextRevision, record: write.record } }
    : ledgerStep(current, write, nextRevision);

class NoLine implements Line {
  readonly sizes = { inLine: 0, atWork: 0 };

  ask(_: JobId, { work }: Turn): void {
    work(() => {});
  }
}
