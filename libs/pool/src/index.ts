export { ConnectionError, type ConnectionErrorCode } from './connection-error.ts';
export {
  type ConnectionLease,
  ConnectionPool,
  type PoolOptions,
  type PoolStats,
} from './connection-pool.ts';
export { PoolError, type PoolErrorCode } from './pool-error.ts';
export type {
  ProviderConnection,
  ProviderRequest,
  ProviderResponse,
} from './provider-connection.ts';
