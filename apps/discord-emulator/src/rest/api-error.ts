/** Discord's JSON error codes (docs: Opcodes and Status Codes, "JSON"), as one table. */

interface ErrorEntry {
  readonly status: number;
  readonly message: string;
}

/**
 * Code → HTTP status and text. The statuses of 10062, 40060 and 50027 are convention: the docs do
 * not give them.
 */
export const apiErrors = {
  10003: { status: 404, message: 'Unknown Channel' },
  10004: { status: 404, message: 'Unknown Guild' },
  10007: { status: 404, message: 'Unknown Member' },
  10008: { status: 404, message: 'Unknown Message' },
  10013: { status: 404, message: 'Unknown User' },
  10015: { status: 404, message: 'Unknown Webhook' },
  10062: { status: 404, message: 'Unknown interaction' },
  10063: { status: 404, message: 'Unknown application command' },
  20001: { status: 403, message: 'Bots cannot use this endpoint' },
  30032: { status: 400, message: 'Maximum number of application commands reached (100)' },
  30034: { status: 400, message: 'Max number of daily application command creates reached (200)' },
  40005: { status: 413, message: 'Request entity too large' },
  40060: { status: 400, message: 'Interaction has already been acknowledged.' },
  50001: { status: 403, message: 'Missing Access' },
  50003: { status: 403, message: 'Cannot execute action on a DM channel' },
  50005: { status: 403, message: 'Cannot edit a message authored by another user' },
  50006: { status: 400, message: 'Cannot send an empty message' },
  50007: { status: 403, message: 'Cannot send messages to this user' },
  50013: { status: 403, message: 'Missing Permissions' },
  50024: { status: 400, message: 'Cannot execute action on this channel type' },
  50027: { status: 401, message: 'Invalid Webhook Token' },
  50035: { status: 400, message: 'Invalid Form Body' },
  50041: { status: 400, message: 'Invalid API version' },
  50083: { status: 400, message: 'Tried to perform an operation on an archived thread' },
  50109: { status: 400, message: 'The request body contains invalid JSON.' },
  130000: {
    status: 503,
    message: 'API resource is currently overloaded. Try again a little later',
  },
  160004: { status: 400, message: 'A thread has already been created for this message' },
} as const satisfies Record<number, ErrorEntry>;

/** A code of the table. */
export type ApiErrorCode = keyof typeof apiErrors;

/** One thing wrong with one field of a form. */
export interface FieldProblem {
  /** Path of the field, for example `embeds.0.title`. */
  readonly field: string;
  /** Discord's own code of the problem, for example `BASE_TYPE_MAX_LENGTH`. */
  readonly code: string;
  readonly message: string;
}

/** An answer that is not a success. Thrown by routes, turned into a response by the handler. */
export class ApiError extends Error {
  readonly code: ApiErrorCode;
  readonly status: number;
  readonly #problems: readonly FieldProblem[];

  constructor(code: ApiErrorCode, problems: readonly FieldProblem[] = []) {
    super(apiErrors[code].message);
    this.name = 'ApiError';
    this.code = code;
    this.status = apiErrors[code].status;
    this.#problems = problems;
  }

  /** The JSON body; the problems nest by field as Discord nests them. */
  body(): Record<string, unknown> {
    const body: Record<string, unknown> = { message: this.message, code: this.code };
    if (this.#problems.length > 0) body.errors = nest(this.#problems);
    return body;
  }
}

/** An invalid form with its one problem. */
export function invalidForm(problem: FieldProblem): ApiError {
  return new ApiError(50035, [problem]);
}

function nest(problems: readonly FieldProblem[]): Record<string, unknown> {
  const root: Record<string, unknown> = Object.create(null);
  for (const { field, code, message } of problems) {
    let node = root;
    for (const part of field.split('.')) {
      const next = (node[part] ?? Object.create(null)) as Record<string, unknown>;
      node[part] = next;
      node = next;
    }
    const list = (node._errors ?? []) as unknown[];
    node._errors = [...list, { code, message }];
  }
  return root;
}
