import { type Clock, systemClock } from '@starling/clock';
import type { ServerProgram } from './debian-programs.ts';
import { locateServers } from './locate-servers.ts';
import { askPort } from './probe.ts';
import { type RunningServer, startServer } from './running-server.ts';
import { temporaryFolder } from './temp-folder.ts';

/** How a Redis server is started; each has a default. */
export interface RedisServerOptions {
  /** Where the append-only file is; default a folder that goes with the server. */
  readonly dir?: string;
  /** When writes are flushed to the disk; default `no`, when the kernel likes. */
  readonly fsync?: 'no' | 'everysec' | 'always';
  /** Default a free one. */
  readonly port?: number;
  /** Default: what {@link locateServers} finds. */
  readonly program?: ServerProgram;
  readonly clock?: Clock;
}

/**
 * Starts a Redis server on 127.0.0.1, and resolves when it serves. It appends every write and leaves
 * the flush to the kernel: measured to lose nothing when it is killed, at no cost in time
 * (`appendonly yes`, `appendfsync no`); production uses `always`. It never evicts.
 * @throws {HarnessError} `not_found`, `port_in_use`, `start_failed`
 */
export async function startRedisServer(options: RedisServerOptions = {}): Promise<RunningServer> {
  const { clock = systemClock } = options;
  const program = options.program ?? (await locateServers({ clock })).redisServer;
  const folder = await temporaryFolder('starling-redis');
  return await startServer(
    {
      name: 'redis-server',
      scheme: 'redis',
      program,
      args: (port) => [
        ...['--bind', '127.0.0.1', '--port', String(port), '--daemonize', 'no'],
        ...['--dir', options.dir ?? folder.path],
        ...['--appendonly', 'yes', '--appendfsync', options.fsync ?? 'no', '--save', ''],
        ...['--maxmemory-policy', 'noeviction'],
      ],
      serves: async (port, pid) => {
        const answer = await askPort({
          port,
          question: 'INFO\r\n',
          enough: (text) => text.includes('# Keyspace'),
          clock,
        });
        return answer?.includes(`process_id:${pid}\r`) === true && answer.includes('loading:0');
      },
    },
    { port: options.port, clock, release: () => folder.remove() },
  );
}
