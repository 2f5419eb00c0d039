export { connectRedis, type RedisOptions } from './connect-redis.ts';
export { type LoadedScript, loadScript, type Script } from './load-script.ts';
export type { RedisConnection, RedisReply, RedisState } from './redis-connection.ts';
export { RedisError, type RedisErrorCode } from './redis-error.ts';
