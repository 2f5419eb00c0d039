import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { quickReader, refused } from '../src/quick-reader.ts';
import { arbitraryPayload } from './arbitrary-payload.ts';
import { contracts, type Json } from './published.ts';

/** What schemas disagree about: ends of ranges, counts, odd texts, names that objects have anyway. */
const oddValue = fc.oneof(
  fc.constantFrom(
    0,
    -0,
    1,
    -1,
    0.5,
    2,
    1e308,
    -1e308,
    2 ** 53,
    Number.NaN,
    Number.POSITIVE_INFINITY,
  ),
  fc.constantFrom('', ' ', '\ud800', '😀'.repeat(101), 'x'.repeat(200), 'x'.repeat(201), 'a.>'),
  fc.constantFrom(
    null,
    true,
    {},
    [],
    [undefined],
    { kind: 'end' },
    new Map(),
    JSON.parse('{"__proto__":1}'),
  ),
  fc.jsonValue(),
);

/** A payload with one value somewhere in it replaced, left out or added. */
function changed(payload: unknown): fc.Arbitrary<unknown> {
  const entries = typeof payload === 'object' && payload !== null ? Object.entries(payload) : [];
  const here = oddValue;
  if (entries.length === 0) return here;
  const deeper = fc
    .constantFrom(...entries)
    .chain(([key, value]) =>
      fc.oneof(
        { weight: 4, arbitrary: changed(value).map((other) => withEntry(payload, key, other)) },
        { weight: 1, arbitrary: fc.constant(withEntry(payload, key, undefined)) },
        { weight: 1, arbitrary: here.map((other) => withEntry(payload, 'constructor', other)) },
      ),
    );
  return fc.oneof({ weight: 1, arbitrary: here }, { weight: 9, arbitrary: deeper });
}

/** A copy with one entry set; without it where the value is undefined. */
function withEntry(of: unknown, key: string, value: unknown): unknown {
  if (Array.isArray(of)) return of.map((item, at) => (String(at) === key ? value : item));
  const { [key]: _old, ...rest } = of as Record<string, unknown>;
  return value === undefined ? rest : { ...rest, [key]: value };
}

describe.each(contracts)('$name is read quickly', ({ schema }) => {
  const read = quickReader(schema);
  const json = z.toJSONSchema(schema, { io: 'input' }) as { readonly [keyword: string]: Json };
  const payloads = arbitraryPayload(json);

  it('as its schema reads it, whatever is allowed', () => {
    fc.assert(
      fc.property(payloads, (payload) => {
        // Such a name in a record is left to zod.
        fc.pre(!JSON.stringify(payload).includes('"__proto__"'));
        expect(read?.(payload)).toStrictEqual(schema.parse(payload));
      }),
      { numRuns: 100 },
    );
  });

  it('and never accepted where the schema would not, nor read as something else', () => {
    fc.assert(
      fc.property(payloads.chain(changed), (payload) => {
        const quick = read?.(payload);
        const slow = schema.safeParse(payload);
        if (quick !== refused) expect({ success: true, data: quick }).toStrictEqual(slow);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a schema of a kind that the quick reader does not know is left to zod:', () => {
  it.each<[string, z.ZodType]>([
    ['a default', z.object({ a: z.string().default('x') })],
    ['a transform', z.object({ a: z.string().transform(Number) })],
    ['a refinement', z.object({ a: z.string().refine((text) => text !== 'x') })],
    ['a refinement of an object', z.object({ a: z.string() }).refine(({ a }) => a !== 'x')],
    ['a refinement of a list', z.object({ a: z.array(z.string()).refine((list) => list.length) })],
    ['trimming', z.object({ a: z.string().trim() })],
    ['coercion', z.object({ a: z.coerce.number() })],
    ['a format', z.object({ a: z.email() })],
    ['a strict object', z.strictObject({ a: z.string() })],
    ['a loose object', z.looseObject({ a: z.string() })],
    ['a plain union', z.object({ a: z.union([z.string(), z.number()]) })],
    ['a complete record', z.object({ a: z.record(z.enum(['x', 'y']), z.string()) })],
    ['steps of a number', z.object({ a: z.number().multipleOf(2) })],
    ['null', z.object({ a: z.string().nullable() })],
    ['nothing', z.object({ a: z.literal(undefined) })],
    ['a pattern that remembers', z.object({ a: z.string().regex(/x/g) })],
  ])('%s', (_what, schema) => {
    expect(quickReader(schema)).toBeUndefined();
  });
});

describe('a bound is where the schema has it:', () => {
  const id = z.string().regex(/^[a-z]{2}$/, 'is no id');
  it.each<[string, z.ZodType, readonly unknown[]]>([
    ['numbers', z.number().min(0).max(2), [-0.1, -0, 0, 1.5, 2, 2.1]],
    ['numbers between', z.number().gt(0).lt(2), [0, 0.1, 1.9, 2]],
    ['whole numbers', z.int().positive().max(32), [0, 1, 1.5, 32, 33, 2 ** 53]],
    ['the narrowest of several', z.number().min(1).min(2).max(9).max(8), [1, 2, 8, 9]],
    ['texts', z.string().min(1).max(3), ['', 'a', 'abc', 'abcd']],
    ['lists', z.array(z.boolean()).min(1).max(3), [[], [true], [true, true, true, true]]],
    ['lists of objects', z.array(z.object({ a: id })).max(1), [[], [{ a: 'ab', b: 1 }], [{}]]],
    ['keys', z.record(id, z.number()), [{}, { ab: 1 }, { abc: 1 }, { ab: 'x' }, { ab: 1, c: 2 }]],
    ['words', z.partialRecord(z.enum(['x', 'y']), z.number()), [{}, { x: 1 }, { z: 1 }]],
    ['absence', z.object({ a: id.optional() }), [{}, { a: undefined }, { a: null }, { a: 'ab' }]],
  ])('%s', (_what, schema, values) => {
    const read = quickReader(schema);
    for (const value of values) {
      const { success, data } = schema.safeParse(value);
      expect(read?.(value), JSON.stringify(value)).toStrictEqual(success ? data : refused);
    }
  });

  it('texts of signs outside of the basic plane, of which zod counts one where there are two', () => {
    const short = z.string().min(2).max(3);
    for (const text of ['😀', '😀😀', '😀😀😀', '😀😀😀😀', 'ab', 'abcd']) {
      const quick = quickReader(short)?.(text);
      if (quick !== refused) expect(short.parse(text)).toBe(quick);
    }
  });
});
