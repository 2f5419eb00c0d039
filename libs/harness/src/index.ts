export type { Exit } from './bound-process.ts';
export { baseEnvironment } from './environment.ts';
export { freePort } from './free-port.ts';
export { HarnessError, type HarnessErrorCode } from './harness-error.ts';
export {
  installCommand,
  type LocateOptions,
  locateServers,
  type ServerProgram,
  type Servers,
} from './locate-servers.ts';
export { type NatsServerOptions, startNatsServer } from './nats-server.ts';
export { type RedisServerOptions, startRedisServer } from './redis-server.ts';
export type { RunningServer } from './running-server.ts';
export { type RunningApp, type SpawnAppOptions, spawnApp } from './spawn-app.ts';
