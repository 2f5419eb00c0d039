import { seededRandom } from '@starling/clock';
import { describe, expect, it } from 'vitest';
import { type FaultsInput, faultsSchema } from '../src/faults/fault.ts';
import { FaultBook } from '../src/faults/fault-book.ts';
import { keyLabel } from '../src/key-label.ts';

const bookOf = (faults: FaultsInput) => new FaultBook(faultsSchema.parse(faults), seededRandom(99));
const target = { model: 'm', keyLabel: keyLabel('k1'), path: '/v1/chat/completions', chat: true };
const status = (code: number) => ({ kind: 'status' as const, status: code });
const strikes = (book: FaultBook, count: number) =>
  Array.from({ length: count }, () => book.strike(target)?.kind ?? '-');

describe('FaultBook', () => {
  it('strikes by model, key and path', () => {
    const book = bookOf({
      rules: [
        { match: { model: 'other' }, fault: status(500) },
        { match: { key: 'k2' }, fault: status(402) },
        { match: { path: '/v1/models' }, fault: status(503) },
      ],
    });
    const struck = (change: Partial<typeof target>) => {
      const fault = book.strike({ ...target, ...change });
      return fault?.kind === 'status' ? fault.status : undefined;
    };
    expect(struck({})).toBeUndefined();
    expect(struck({ model: 'other' })).toBe(500);
    expect(struck({ keyLabel: keyLabel('k2') })).toBe(402);
    expect(struck({ path: '/v1/models', chat: false })).toBe(503);
  });

  it('leaves requests that are no chat alone, unless a rule names their path', () => {
    const book = bookOf({ rules: [{ fault: status(500) }] });
    expect(book.strike({ ...target, path: '/v1/models', chat: false })).toBeUndefined();
  });

  it('strikes the next so many and then never again', () => {
    const book = bookOf({ rules: [{ next: 2, fault: status(500) }] });
    expect(strikes(book, 4)).toEqual(['status', 'status', '-', '-']);
    expect(book.read().rules[0]).toMatchObject({ matched: 2, struck: 2 });
  });

  it('repeats a share of strikes, and the choice among faults, from the seed', () => {
    const faults: FaultsInput = {
      seed: 5,
      rules: [{ probability: 0.3, fault: [status(500), { kind: 'header-stall' }] }],
    };
    const once = strikes(bookOf(faults), 1000);
    expect(strikes(bookOf(faults), 1000)).toEqual(once);
    const struck = once.filter((kind) => kind !== '-').length;
    expect(struck).toBeGreaterThan(250);
    expect(struck).toBeLessThan(350);
    expect(new Set(once)).toEqual(new Set(['-', 'status', 'header-stall']));
  });

  it('lets the first rule that strikes decide', () => {
    const book = bookOf({
      rules: [{ next: 1, fault: status(500) }, { fault: { kind: 'no-usage' } }],
    });
    expect(strikes(book, 2)).toEqual(['status', 'no-usage']);
  });

  it('never shows a key', () => {
    const secret = 'sk-secret-value';
    const read = JSON.stringify(
      bookOf({ rules: [{ match: { key: secret }, fault: status(401) }] }).read(),
    );
    expect(read).not.toContain(secret);
    expect(read).toContain(keyLabel(secret));
    expect(keyLabel(keyLabel(secret))).toBe(keyLabel(secret));
  });
});
