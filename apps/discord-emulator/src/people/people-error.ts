/** What the door says to input that it cannot use. */
import type { z } from 'zod';

/** The body of a refusal, under `error`. */
export interface Refusal {
  /** Path of the field, for example `options.text`; empty for the request as a whole. */
  readonly field: string;
  readonly value: unknown;
  readonly problem: string;
  readonly remedy: string;
}

/** A refusal with its HTTP status: 400 bad input, 404 unknown, 413 too large, 503 at a bound. */
export class PeopleError extends Error {
  readonly status: 400 | 404 | 413 | 503;
  readonly refusal: Refusal;

  constructor(refusal: Refusal, status: 400 | 404 | 413 | 503 = 400) {
    super(`${refusal.field}: ${refusal.problem}`);
    this.name = 'PeopleError';
    this.status = status;
    this.refusal = refusal;
  }
}

/** Values are shown cut to so many characters. */
const maxShown = 200;

/** @throws PeopleError for the first thing that is wrong */
export function parseInput<T>(schema: z.ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue?.path ?? [];
  const value = path.reduce<unknown>(
    (node, key) => (node as Record<PropertyKey, unknown> | null | undefined)?.[key],
    input,
  );
  throw new PeopleError({
    field: path.map(String).join('.'),
    value: shown(value),
    problem: issue?.message ?? 'invalid',
    remedy: 'send the fields that the door documents, with these types and bounds',
  });
}

function shown(value: unknown): unknown {
  if (typeof value === 'string' && value.length > maxShown) return `${value.slice(0, maxShown)}…`;
  return typeof value === 'object' && value !== null ? '(an object)' : (value ?? null);
}
