export { ConnectionError, type ConnectionErrorCode } from './connection-error.ts';
export {
  type ConnectionLease,
  ConnectionPool,
  type PoolOptions,
  type PoolStats,
} from './connection-pool.ts';
export type { ResponseReader } from './exchange.ts';
export { PoolError, type PoolErrorCode } from './pool-error.ts';
export type { ProviderConnection, ProviderRequest } from './provider-connection.ts';
