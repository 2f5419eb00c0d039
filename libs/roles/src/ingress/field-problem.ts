import { type ApiProblem, requestProblem } from './api-problem.ts';

/** Thrown by the readers of a request's fields; never leaves {@link parseChatRequest}. */
export class FieldProblem extends Error {
  override readonly name = 'FieldProblem';
  readonly problem: ApiProblem;

  constructor(problem: ApiProblem) {
    super(problem.message);
    this.problem = problem;
  }
}

/** Longest piece of a wrong value that is shown. */
const maxShown = 80;

/** A wrong value as it is shown: JSON, cut. */
function shown(value: unknown): string {
  const json = JSON.stringify(value) ?? 'nothing';
  return json.length <= maxShown ? json : `${json.slice(0, maxShown)}…`;
}

/** `param` has a value that it cannot have: name, value, remedy. */
export function invalid(param: string, value: unknown, remedy: string): FieldProblem {
  return new FieldProblem(
    requestProblem('invalid_value', `${param} is ${shown(value)}: ${remedy}.`, param),
  );
}

/** `param` asks for something that this fleet does not do. */
export function unsupported(param: string, value: unknown, remedy: string): FieldProblem {
  return new FieldProblem(
    requestProblem('unsupported_parameter', `${param} is ${shown(value)}: ${remedy}.`, param),
  );
}

/** `param` has to be there. */
export function missing(param: string, remedy: string): FieldProblem {
  return new FieldProblem(
    requestProblem('missing_required_parameter', `${param} is missing: ${remedy}.`, param),
  );
}
