import type { Json, Published } from './published.ts';

/**
 * What a change means for processes of both versions side by side. `additive`: only optional fields
 * came; older readers ignore them, newer readers do without. Anything else is `breaking`.
 */
export type SchemaChange = 'none' | 'additive' | 'breaking';

export function changeBetween(before: Published, after: Published): SchemaChange {
  const { payload: payloadBefore, ...restBefore } = before;
  const { payload: payloadAfter, ...restAfter } = after;
  if (!same(restBefore, restAfter)) return 'breaking';
  if (same(payloadBefore, payloadAfter)) return 'none';
  return isAdditive(payloadBefore, payloadAfter) ? 'additive' : 'breaking';
}

/** Whether `after` is `before` with further optional properties somewhere in it. */
function isAdditive(before: Json, after: Json): boolean {
  if (Array.isArray(before) && Array.isArray(after)) {
    return (
      before.length === after.length &&
      before.every((element, index) => isAdditive(element, after[index]))
    );
  }
  if (!isRecord(before) || !isRecord(after)) return before === after;
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].every((name) => {
    const [one, other] = [before[name], after[name]];
    // The order of fields means nothing.
    if (name === 'required') return same(sorted(one), sorted(other));
    if (name === 'properties' && isRecord(one) && isRecord(other)) {
      // What is new and required shows in `required`, which must be the same.
      return Object.keys(one).every((property) => additiveAt(one, other, property));
    }
    return additiveAt(before, after, name);
  });
}

function additiveAt(
  before: { readonly [name: string]: Json },
  after: { readonly [name: string]: Json },
  name: string,
): boolean {
  const [one, other] = [before[name], after[name]];
  return one !== undefined && other !== undefined && isAdditive(one, other);
}

function isRecord(value: Json | undefined): value is { readonly [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sorted(value: Json | undefined): Json | undefined {
  return Array.isArray(value) ? value.toSorted() : value;
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
