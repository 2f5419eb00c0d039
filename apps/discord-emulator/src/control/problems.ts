import type { z } from 'zod';
import { faultKinds } from '../faults/fault-spec.ts';

/** What is wrong with one field of what was sent. */
export interface Problem {
  /** Path of the field, for example `faults[0].forMs`; empty for the whole. */
  readonly field: string;
  readonly value: unknown;
  readonly remedy: string;
}

/** Problems listed at once. */
const maxProblems = 20;

/** Each field that does not fit, its value and what to do about it. */
export function problemsOf(error: z.core.$ZodError, input: unknown): Problem[] {
  return error.issues.slice(0, maxProblems).map((issue) => {
    const keys = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
    const path = [...issue.path, ...keys];
    return { field: fieldName(path), value: valueAt(input, path), remedy: remedyOf(issue) };
  });
}

function fieldName(path: readonly PropertyKey[]): string {
  return path
    .map((key, place) =>
      typeof key === 'number' ? `[${key}]` : `${place > 0 ? '.' : ''}${String(key)}`,
    )
    .join('');
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  const value = path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined),
    input,
  );
  return value === undefined ? null : value;
}

function remedyOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'unrecognized_keys':
      return 'there is no such field: leave it out or correct its name';
    case 'invalid_value':
      return `set it to one of ${issue.values.map(String).join(', ')}`;
    case 'invalid_union':
      return issue.discriminator === 'kind'
        ? `set it to one of ${faultKinds.join(', ')}`
        : 'set it to one of the forms that are documented for it';
    case 'too_small':
      return `set it to ${issue.minimum} or more`;
    case 'too_big':
      return `set it to ${issue.maximum} or less`;
    case 'invalid_type':
      return `set it to a value of type ${issue.expected}`;
    default:
      return issue.message;
  }
}
