import { createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { chained, emptyContext } from '../src/chain-context.ts';

const keys = Array.from({ length: 6 }, (_, at) => createContextKey(`key ${at}`));

it('a context has what was set in it and before it, however often, and nothing of its children', () => {
  const step = fc.record({
    from: fc.nat(),
    key: fc.constantFrom(...keys),
    value: fc.option(fc.nat(), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 300 }), (steps) => {
      const made = [{ context: emptyContext, values: new Map<symbol, unknown>() }];
      for (const { from, key, value } of steps) {
        // Mostly on and on from the last one, so that chains grow long.
        const base = made[from % 4 === 0 ? from % made.length : made.length - 1] ?? made[0];
        if (!base) continue;
        const context =
          value === undefined ? base.context.deleteValue(key) : base.context.setValue(key, value);
        made.push({ context, values: new Map(base.values).set(key, value) });
      }
      for (const { context, values } of made) {
        for (const key of keys) expect(context.getValue(key)).toBe(values.get(key));
      }
    }),
    { numRuns: 50 },
  );
});

it('stands in for the empty context of the API, and for no other', () => {
  expect(chained(ROOT_CONTEXT)).toBe(emptyContext);
  const other = ROOT_CONTEXT.setValue(keys[0] as symbol, 1);
  expect(chained(other)).toBe(other);
});
