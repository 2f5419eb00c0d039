/**
 * Reads what a schema accepts, several times quicker than the schema does: it is walked once, and each
 * of its parts becomes a function. A reader may only say yes. What it refuses is left to the schema,
 * which decides and has the words for it; a kind of schema that is not known here costs time and no
 * safety. A property test holds the reader of every contract to its schema.
 */
import type { z } from 'zod';
import { lengthAccepts, quickChecks, saysOnly } from './quick-checks.ts';

/** Said of whatever a reader does not accept. */
export const refused = Symbol('refused');

/**
 * Gives what the schema makes of a value, or {@link refused}; never throws. Lists of plain values are
 * not copied, objects are.
 */
export type QuickReader = (value: unknown) => unknown;

type Fields = Readonly<Record<string, unknown>>;

/** The reader of a schema; undefined where a part of it is of a kind that is not known here. */
export function quickReader(schema: z.core.$ZodType): QuickReader | undefined {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  const accepts = quickChecks(def);
  if (accepts) return (value) => (accepts(value) ? value : refused);
  switch (def.type) {
    case 'object':
      return saysOnly(def, ['shape']) ? objectReader(def.shape) : undefined;
    case 'array':
      return saysOnly(def, ['element', 'checks']) ? arrayReader(def) : undefined;
    case 'record':
      return saysOnly(def, ['keyType', 'valueType', 'partial']) ? recordReader(def) : undefined;
    case 'union':
      return saysOnly(def, ['options', 'discriminator', 'inclusive'])
        ? unionReader(def as z.core.$ZodDiscriminatedUnionDef)
        : undefined;
    default:
      return undefined;
  }
}

interface Field {
  readonly key: string;
  readonly read: QuickReader;
  readonly optional: boolean;
}

function objectReader(shape: z.core.$ZodShape): QuickReader | undefined {
  const fields: Field[] = [];
  for (const [key, schema] of Object.entries(shape)) {
    const { def } = (schema as z.core.$ZodTypes)._zod;
    const optional = def.type === 'optional' && saysOnly(def, ['innerType']);
    const read = quickReader(optional ? def.innerType : schema);
    if (!read || key === '__proto__') return undefined;
    fields.push({ key, read, optional });
  }
  return (value) => {
    if (!isObject(value)) return refused;
    const result: Record<string, unknown> = {};
    for (const { key, read, optional } of fields) {
      const field = value[key];
      if (field === undefined && optional) {
        if (key in value) result[key] = undefined;
        continue;
      }
      const clean = read(field);
      if (clean === refused) return refused;
      result[key] = clean;
    }
    return result;
  };
}

function arrayReader({ element, checks }: z.core.$ZodArrayDef): QuickReader | undefined {
  const fits = lengthAccepts(checks);
  if (!fits) return undefined;
  const accepts = quickChecks((element as z.core.$ZodTypes)._zod.def);
  if (accepts) {
    return (value) => {
      if (!Array.isArray(value) || !fits(value.length)) return refused;
      for (const item of value) if (!accepts(item)) return refused;
      return value;
    };
  }
  const read = quickReader(element);
  if (!read) return undefined;
  return (value) => {
    if (!Array.isArray(value) || !fits(value.length)) return refused;
    const result: unknown[] = [];
    for (const item of value) {
      const clean = read(item);
      if (clean === refused) return refused;
      result.push(clean);
    }
    return result;
  };
}

function recordReader(def: z.core.$ZodRecordDef): QuickReader | undefined {
  const { keyType, valueType, partial = false } = def;
  const keyDef = (keyType as z.core.$ZodTypes)._zod.def;
  const acceptsKey = quickChecks(keyDef);
  const read = quickReader(valueType);
  // With a list of keys each of them has to be there, unless the record is partial.
  const listed = keyDef.type !== 'string';
  if (!acceptsKey || !read || (listed && !partial)) return undefined;
  return (value) => {
    if (!isObject(value) || !isPlain(value)) return refused;
    const result: Record<string, unknown> = {};
    for (const key of Object.keys(value)) {
      if (key === '__proto__' || !acceptsKey(key)) return refused;
      const clean = read(value[key]);
      if (clean === refused) return refused;
      result[key] = clean;
    }
    return result;
  };
}

function unionReader(def: z.core.$ZodDiscriminatedUnionDef): QuickReader | undefined {
  const { discriminator, options } = def;
  const byWord = new Map<unknown, QuickReader>();
  for (const option of options ?? []) {
    const read = quickReader(option);
    const words = option._zod.propValues?.[discriminator];
    if (!read || !words) return undefined;
    for (const word of words) byWord.set(word, read);
  }
  return (value) => {
    if (!isObject(value)) return refused;
    return byWord.get(value[discriminator])?.(value) ?? refused;
  };
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** As JSON makes them; zod takes few others for a record, and we none. */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
