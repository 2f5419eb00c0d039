import { errors } from 'undici';

/**
 * How a connection can fail.
 * - `connect_timeout`: no connection in time. `refused`: nobody listens there, or no such host.
 * - `reset`: the other side closed in the middle. `protocol`: what came is not HTTP.
 * - `destroyed`: we closed it ourselves while it was in use.
 */
export type ConnectionErrorCode =
  | 'connect_timeout'
  | 'refused'
  | 'reset'
  | 'protocol'
  | 'destroyed';

/** Any failure of a provider connection. Its message names codes only, never a header or an address. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  readonly code: ConnectionErrorCode;

  constructor(code: ConnectionErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Codes of Node and undici (undici docs, Errors) by what they mean to us. */
const meanings: Readonly<Record<string, ConnectionErrorCode>> = {
  UND_ERR_CONNECT_TIMEOUT: 'connect_timeout',
  ETIMEDOUT: 'connect_timeout',
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'refused',
  ENETUNREACH: 'refused',
  ENOTFOUND: 'refused',
  EAI_AGAIN: 'refused',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  UND_ERR_SOCKET: 'reset',
  UND_ERR_DESTROYED: 'destroyed',
  UND_ERR_CLOSED: 'destroyed',
  UND_ERR_HEADERS_OVERFLOW: 'protocol',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'protocol',
};

/**
 * What an error of undici or of the socket means. An error that is not in the table is a protocol
 * error (llhttp's `HPE_…` codes, TLS failures): the connection is not to be used again.
 */
export function connectionErrorFrom(error: unknown): ConnectionError {
  if (error instanceof ConnectionError) return error;
  const code = codeOf(error);
  if (code === undefined) return new ConnectionError('protocol', 'the connection failed');
  return new ConnectionError(meanings[code] ?? 'protocol', `the connection failed: ${code}`);
}

function codeOf(error: unknown): string | undefined {
  // Several addresses were tried: the first failure stands for them.
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  if (error instanceof errors.UndiciError) return error.code;
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
    return error.code;
  }
  return undefined;
}
