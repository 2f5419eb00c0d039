/** Of a schema's texts, numbers and fixed words: what is accepted, as one function. */
import type { z } from 'zod';

/** Whether a value is accepted. */
export type Accepts<Value = unknown> = (value: Value) => boolean;

type Def = z.core.$ZodTypes['_zod']['def'];
type Checks = readonly z.core.$ZodCheck<never>[] | undefined;

/** What the schema of one plain value accepts; undefined for any other schema. */
export function quickChecks(def: Def): Accepts | undefined {
  switch (def.type) {
    case 'string':
      return saysOnly(def, ['checks']) ? textAccepts(def.checks) : undefined;
    case 'number':
      return numberAccepts(def);
    case 'boolean':
      return saysOnly(def, []) ? (value) => typeof value === 'boolean' : undefined;
    case 'literal':
      return saysOnly(def, ['values']) ? oneOf(def.values) : undefined;
    case 'enum':
      return saysOnly(def, ['entries']) ? oneOf(Object.values(def.entries)) : undefined;
    default:
      return undefined;
  }
}

/** How many items a list may have; undefined when its checks ask for something else too. */
export function lengthAccepts(checks: Checks): Accepts<number> | undefined {
  let min = 0;
  let max = Number.POSITIVE_INFINITY;
  for (const def of defsOf(checks)) {
    if (def.check === 'min_length') min = Math.max(min, def.minimum);
    else if (def.check === 'max_length') max = Math.min(max, def.maximum);
    else return undefined;
  }
  return (length) => length >= min && length <= max;
}

/**
 * Whether a definition says no more than these keys: one that says `coerce`, or what a later zod
 * brings, is left to zod.
 */
export function saysOnly(def: object, keys: readonly string[]): boolean {
  return Object.keys(def).every((key) => key === 'type' || key === 'error' || keys.includes(key));
}

function textAccepts(checks: Checks): Accepts | undefined {
  const all: Accepts<string>[] = [];
  for (const def of defsOf(checks)) {
    const accepts = textCheck(def);
    if (!accepts) return undefined;
    all.push(accepts);
  }
  const [first, second, ...more] = all;
  if (!first) return (value) => typeof value === 'string';
  if (!second) return (value) => typeof value === 'string' && first(value);
  if (more.length > 0)
    return (value) => typeof value === 'string' && all.every((one) => one(value));
  return (value) => typeof value === 'string' && first(value) && second(value);
}

function textCheck(def: z.core.$ZodChecks['_zod']['def']): Accepts<string> | undefined {
  switch (def.check) {
    // Zod counts code points, of which a text has half as many as code units at the least.
    case 'min_length': {
      const min = def.minimum <= 1 ? def.minimum : def.minimum * 2;
      return (text) => text.length >= min;
    }
    case 'max_length': {
      const max = def.maximum;
      return (text) => text.length <= max;
    }
    case 'string_format': {
      const { format, pattern } = def;
      if (format !== 'regex' || !pattern || pattern.global || pattern.sticky) return undefined;
      return (text) => pattern.test(text);
    }
    default:
      return undefined;
  }
}

function numberAccepts(
  def: z.core.$ZodNumberDef | z.core.$ZodNumberFormatDef,
): Accepts | undefined {
  const whole = 'format' in def;
  if (whole ? def.format !== 'safeint' : false) return undefined;
  if (!saysOnly(def, whole ? ['check', 'abort', 'format', 'checks'] : ['checks'])) return undefined;
  let above = Number.NEGATIVE_INFINITY;
  let min = Number.NEGATIVE_INFINITY;
  let below = Number.POSITIVE_INFINITY;
  let max = Number.POSITIVE_INFINITY;
  for (const check of defsOf(def.checks)) {
    if (!('value' in check) || typeof check.value !== 'number') return undefined;
    if (check.check === 'greater_than') {
      if (check.inclusive) min = Math.max(min, check.value);
      else above = Math.max(above, check.value);
    } else if (check.check === 'less_than') {
      if (check.inclusive) max = Math.min(max, check.value);
      else below = Math.min(below, check.value);
    } else return undefined;
  }
  const isNumber = whole ? Number.isSafeInteger : Number.isFinite;
  return (value) =>
    isNumber(value) &&
    (value as number) >= min &&
    (value as number) > above &&
    (value as number) <= max &&
    (value as number) < below;
}

function oneOf(values: readonly unknown[]): Accepts | undefined {
  const [only] = values;
  if (values.includes(undefined)) return undefined;
  if (values.length === 1) return (value) => value === only;
  const set = new Set(values);
  return (value) => set.has(value);
}

function defsOf(checks: Checks): readonly z.core.$ZodChecks['_zod']['def'][] {
  return (checks ?? []).map((check) => (check as z.core.$ZodChecks)._zod.def);
}
