/** Checks a JSON body against a schema and words what is wrong as Discord words it. */
import type { z } from 'zod';
import { ApiError, type FieldProblem } from '../api-error.ts';

/**
 * Parses a body.
 * @throws ApiError 50035 with one problem a field
 */
export function parseForm<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body ?? {});
  if (result.success) return result.data;
  throw new ApiError(50035, result.error.issues.map(problemOf));
}

function problemOf(issue: z.core.$ZodIssue): FieldProblem {
  const field = issue.path.map(String).join('.') || '_body';
  switch (issue.code) {
    case 'too_big':
      return issue.origin === 'string' || issue.origin === 'array'
        ? problem(field, 'BASE_TYPE_MAX_LENGTH', `Must be ${issue.maximum} or fewer in length.`)
        : problem(
            field,
            'NUMBER_TYPE_MAX',
            `int value should be less than or equal to ${issue.maximum}.`,
          );
    case 'too_small':
      return issue.origin === 'string' || issue.origin === 'array'
        ? problem(field, 'BASE_TYPE_MIN_LENGTH', `Must be ${issue.minimum} or more in length.`)
        : problem(
            field,
            'NUMBER_TYPE_MIN',
            `int value should be greater than or equal to ${issue.minimum}.`,
          );
    case 'invalid_format':
      return problem(field, 'STRING_TYPE_REGEX', 'String value did not match validation regex.');
    case 'invalid_value':
      return problem(
        field,
        'BASE_TYPE_CHOICES',
        `Value must be one of (${issue.values.join(', ')}).`,
      );
    default:
      return problem(field, 'BASE_TYPE_BAD_TYPE', issue.message);
  }
}

const problem = (field: string, code: string, message: string): FieldProblem => ({
  field,
  code,
  message,
});
