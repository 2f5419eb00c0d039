/** What a benchmark says: a row for each number, and what they decide together. */

/** `promise` rows decide whether the run is ok; `speed` rows only tell whether their number was reached. */
export type RowKind = 'promise' | 'speed';

/** The side of the number that is good. */
export type Limit = { readonly max: number } | { readonly min: number };

export interface Row {
  readonly id: string;
  readonly what: string;
  /** Null when it could not be measured. */
  readonly value: number | null;
  readonly unit: string;
  /** Null for a baseline, which has nothing to reach. */
  readonly limit: number | null;
  /** On which side of the value the limit stands. */
  readonly bound: 'max' | 'min' | null;
  readonly pass: boolean;
  readonly kind: RowKind;
}

/** A row with its judgement: what could not be measured did not reach its limit. */
export function row(options: {
  readonly id: string;
  readonly what: string;
  readonly value: number | undefined;
  readonly unit: string;
  readonly limit?: Limit;
  readonly kind: RowKind;
}): Row {
  const { id, what, unit, limit, kind } = options;
  const value = options.value === undefined || Number.isNaN(options.value) ? null : options.value;
  return {
    id,
    what,
    value: value === null ? null : Number(value.toPrecision(4)),
    unit,
    limit: limit ? ('max' in limit ? limit.max : limit.min) : null,
    bound: limit ? ('max' in limit ? 'max' : 'min') : null,
    pass: reached(value, limit),
    kind,
  };
}

function reached(value: number | null, limit: Limit | undefined): boolean {
  if (!limit) return true;
  if (value === null) return false;
  return 'max' in limit ? value <= limit.max : value >= limit.min;
}

/** Whether the promises were kept. Without one promise that was judged there is nothing to be ok. */
export function promisesKept(rows: readonly Row[]): boolean {
  const promises = rows.filter(({ kind }) => kind === 'promise');
  return promises.length > 0 && promises.every(({ pass }) => pass);
}

/** One row for a person. */
export function rowLine({ pass, id, what, value, unit, limit, bound }: Row): string {
  const wanted = limit === null ? '' : ` (${bound === 'max' ? 'at most' : 'at least'} ${limit})`;
  return `${limit === null ? ' ' : pass ? '✔' : '✖'} ${id}: ${value ?? 'not measured'} ${unit}${wanted}  ${what}`;
}
