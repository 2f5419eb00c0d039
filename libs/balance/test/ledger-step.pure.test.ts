import { workerId } from '@starling/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isOwnEnd, type LedgerEntry, type LedgerRecord, ledgerStep } from '../src/index.ts';

const [alice, bob] = [workerId.parse('alice'), workerId.parse('bob')];
const run = (attempt: number, by = alice): LedgerRecord => ({
  kind: 'run',
  workerId: by,
  attempt,
});
const end = (attempt: number, by = alice): LedgerRecord => ({
  kind: 'end',
  outcome: 'done',
  workerId: by,
  attempt,
});

describe('the job ledger', () => {
  it('lets one of two create, and the zombie of a replaced claim not end [A6] [A7]', () => {
    const first = ledgerStep(undefined, { expected: undefined, record: run(1) }, 1);
    if (first.kind !== 'written') throw new Error('the first claim was refused');
    const second = { expected: undefined, record: run(1, bob) };
    expect(ledgerStep(first.entry, second, 2)).toEqual({ kind: 'refused', current: first.entry });
    const taken = ledgerStep(first.entry, { expected: 1, record: run(2, bob) }, 2);
    if (taken.kind !== 'written') throw new Error('the take-over was refused');
    expect(ledgerStep(taken.entry, { expected: 1, record: end(1) }, 3).kind).toBe('refused');
    expect(ledgerStep(taken.entry, { expected: 2, record: end(2, bob) }, 3).kind).toBe('written');
  });

  it('knows its own end when the answer to it was lost', () => {
    const current: LedgerEntry = { revision: 7, record: end(2) };
    expect(isOwnEnd(current, { workerId: alice, attempt: 2 })).toBe(true);
    expect(isOwnEnd(current, { workerId: alice, attempt: 1 })).toBe(false);
    expect(isOwnEnd(current, { workerId: bob, attempt: 2 })).toBe(false);
    expect(isOwnEnd(undefined, { workerId: alice, attempt: 2 })).toBe(false);
  });

  it('ends a job once, and only by the holder of the last revision, whatever is written [A6] [A7]', () => {
    const write = fc.record({
      expected: fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined }),
      record: fc.oneof(
        fc.integer({ min: 1, max: 3 }).map((attempt) => run(attempt)),
        fc.integer({ min: 1, max: 3 }).map((attempt) => end(attempt)),
        fc.constant<LedgerRecord>({ kind: 'released', attempt: 1 }),
      ),
    });
    fc.assert(
      fc.property(fc.array(write, { maxLength: 40 }), (writes) => {
        let current: LedgerEntry | undefined;
        let ended = false;
        writes.forEach((one, index) => {
          const answer = ledgerStep(current, one, index + 1);
          if (answer.kind === 'refused') {
            expect(answer.current).toBe(current);
            return;
          }
          expect(ended).toBe(false);
          expect(one.expected).toBe(current?.revision);
          expect(answer.entry.revision).toBeGreaterThan(current?.revision ?? 0);
          current = answer.entry;
          ended = one.record.kind === 'end';
        });
      }),
    );
  });
});
