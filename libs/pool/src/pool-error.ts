/** `full`: too many wait already. `timeout`: no connection came free in time. `closed`: the pool is. */
export type PoolErrorCode = 'full' | 'timeout' | 'closed';

/** Why no connection could be borrowed. */
export class PoolError extends Error {
  override readonly name = 'PoolError';
  readonly code: PoolErrorCode;

  constructor(code: PoolErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
