import fc from 'fast-check';
import type { Json } from './published.ts';

type Schema = { readonly [keyword: string]: Json };

/**
 * Any payload that a JSON Schema allows, for the keywords that our contracts use, so that a new
 * contract is tested from the day it is written.
 * @throws {Error} for a schema with none of them
 */
export function arbitraryPayload(schema: Schema): fc.Arbitrary<unknown> {
  const options = schema.oneOf ?? schema.anyOf;
  if (options !== undefined) return fc.oneof(...list(options).map(arbitraryPayload));
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (Array.isArray(schema.enum)) return fc.constantFrom(...schema.enum);
  switch (schema.type) {
    case 'object':
      return schema.properties === undefined ? arbitraryMap(schema) : arbitraryObject(schema);
    case 'array': {
      const minLength = number(schema.minItems, 0);
      const maxLength = Math.min(number(schema.maxItems, 5), minLength + 5);
      return fc.array(arbitraryPayload(record(schema.items)), { minLength, maxLength });
    }
    case 'string':
      return typeof schema.pattern === 'string'
        ? fc.stringMatching(new RegExp(schema.pattern))
        : fc.string({ unit: 'grapheme', minLength: number(schema.minLength, 0), maxLength: 60 });
    case 'integer':
      return fc.integer({
        min: number(schema.minimum, number(schema.exclusiveMinimum, -2) + 1),
        max: Math.min(number(schema.maximum, 2 ** 31 - 1), 2 ** 31 - 1),
      });
    case 'number':
      return fc.double({
        min: number(schema.minimum, -1e15),
        max: number(schema.maximum, 1e15),
        noNaN: true,
      });
    case 'boolean':
      return fc.boolean();
    default:
      throw new Error(`cannot make a payload of ${JSON.stringify(schema)}`);
  }
}

function arbitraryObject(schema: Schema): fc.Arbitrary<unknown> {
  const properties = Object.entries(record(schema.properties)).map(
    ([name, property]) => [name, arbitraryPayload(record(property))] as const,
  );
  const requiredKeys = Array.isArray(schema.required) ? schema.required.map(String) : [];
  return fc.record(Object.fromEntries(properties), { requiredKeys });
}

function arbitraryMap(schema: Schema): fc.Arbitrary<unknown> {
  return fc.dictionary(
    arbitraryPayload({ type: 'string', ...record(schema.propertyNames ?? {}) }).map(String),
    arbitraryPayload(record(schema.additionalProperties)),
  );
}

function number(value: Json | undefined, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}

function record(value: Json | undefined): Schema {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Schema;
  throw new Error(`not a schema: ${JSON.stringify(value)}`);
}

function list(value: Json): readonly Schema[] {
  return Array.isArray(value) ? value.map(record) : [];
}
