import type { z } from 'zod';

/** What is wrong with one field of a control request. */
export interface FieldProblem {
  readonly field: string;
  /** As JSON, cut to 100 characters; `(hidden)` where a key stands. */
  readonly value: string;
  readonly remedy: string;
}

/** Control input that was not taken. Nothing was changed. */
export class ControlProblem extends Error {
  override readonly name = 'ControlProblem';
  readonly problems: readonly FieldProblem[];

  constructor(problems: readonly FieldProblem[]) {
    super(problems.map(({ field, value, remedy }) => `${field}=${value}: ${remedy}`).join('\n'));
    this.problems = problems;
  }
}

/**
 * Parses control input.
 * @throws {ControlProblem} naming every field that is wrong, its value and the remedy
 */
export function parseControl<S extends z.ZodType>(schema: S, input: unknown): z.output<S> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new ControlProblem(parsed.error.issues.flatMap((issue) => describe(issue, input, [])));
}

type Path = readonly PropertyKey[];

function describe(issue: z.core.$ZodIssue, input: unknown, above: Path): readonly FieldProblem[] {
  const path = [...above, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      ...locate([...path, key], input),
      remedy: 'remove it or correct its name',
    }));
  }
  if (issue.code === 'invalid_union') {
    // The branch that the input comes nearest to: the one that does not fail at its very top.
    const branch = issue.errors.find((issues) => issues.some((inner) => inner.path.length > 0));
    const inner = branch ?? issue.errors[0] ?? [];
    if (inner.length > 0) return inner.flatMap((deeper) => describe(deeper, input, path));
  }
  return [{ ...locate(path, input), remedy: issue.message }];
}

function locate(path: Path, input: unknown): Pick<FieldProblem, 'field' | 'value'> {
  let value = input;
  for (const step of path) {
    value = typeof value === 'object' && value !== null ? Reflect.get(value, step) : undefined;
  }
  const secret = path.some((step) => step === 'key' || step === 'acceptedKeys');
  return {
    field: path.length === 0 ? '(body)' : path.map(String).join('.'),
    value: secret ? '(hidden)' : (JSON.stringify(value)?.slice(0, 100) ?? '(missing)'),
  };
}
