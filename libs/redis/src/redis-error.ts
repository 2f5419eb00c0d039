/**
 * - `unreachable`: there is no connection now; nothing was sent.
 * - `timeout`: no answer in time, or the connection was lost first. The command may still run, later:
 *   a stopped server runs what waits in its socket when it goes on. A write that must not run late
 *   carries its deadline in its script.
 * - `rejected`: Redis refused the command; retrying does not help.
 * - `closed`: after the end.
 */
export type RedisErrorCode = 'unreachable' | 'timeout' | 'rejected' | 'closed';

/** Any failure of Redis, by a closed set of codes. Messages name commands, never their arguments. */
export class RedisError extends Error {
  override readonly name = 'RedisError';
  readonly code: RedisErrorCode;

  constructor(code: RedisErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The client hangs the command with its arguments (texts, passwords) on its errors; a cause has none. */
export function withoutArguments(error: unknown): Error {
  const cause = new Error(error instanceof Error ? error.message : String(error));
  cause.name = error instanceof Error ? error.name : 'Error';
  return cause;
}
