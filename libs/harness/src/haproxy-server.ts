import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, systemClock } from '@starling/clock';
import { debianPrograms, type LocateOptions, type ServerProgram } from './debian-programs.ts';
import { HarnessError } from './harness-error.ts';
import { askPort } from './probe.ts';
import { type RunningServer, startServer } from './running-server.ts';
import { onSearchPath } from './search-path.ts';
import { temporaryFolder } from './temp-folder.ts';

/** How HAProxy is started. */
export interface HaproxyServerOptions {
  /** One line of a backend each; the same address may stand there more than once. */
  readonly backends: readonly {
    readonly host: string;
    readonly port: number;
    /** Requests that this backend is given at once; the others wait in HAProxy. Default: no bound. */
    readonly maxConnections?: number;
  }[];
  /** Default: what {@link locateHaproxy} finds. */
  readonly program?: ServerProgram;
  readonly clock?: Clock;
}

/**
 * Finds HAProxy: on `PATH`, else in the cache folder, else by fetching Debian's package into it.
 * @throws {HarnessError} `not_found`, with the command that installs it
 */
async function locateHaproxy(options: LocateOptions = {}): Promise<ServerProgram> {
  const path = await onSearchPath('haproxy', options.searchPath);
  if (path !== undefined) return { path, env: {} };
  try {
    const set = {
      packages: ['haproxy'],
      programs: { haproxy: 'usr/sbin/haproxy' },
      versionWord: '-v',
      entryPrefix: 'haproxy-',
    };
    return (await debianPrograms(set, options)).haproxy;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new HarnessError(
      'not_found',
      `haproxy was not found: ${reason}. This installs it: sudo apt-get install -y --no-install-recommends haproxy`,
      { cause: error },
    );
  }
}

/**
 * Starts HAProxy on 127.0.0.1 with `balance leastconn` over the backends, and resolves when it
 * serves. What waits for a backend waits in one queue of HAProxy's own.
 * @throws {HarnessError} `not_found`, `port_in_use`, `start_failed`
 */
export async function startHaproxyServer(options: HaproxyServerOptions): Promise<RunningServer> {
  const { clock = systemClock, backends } = options;
  const program = options.program ?? (await locateHaproxy({ clock }));
  const folder = await temporaryFolder('starling-haproxy');
  const config = join(folder.path, 'haproxy.cfg');
  const servers = backends.map(({ host, port, maxConnections }, index) =>
    `  server s${index} ${host}:${port} ${maxConnections === undefined ? '' : `maxconn ${maxConnections}`}`.trimEnd(),
  );
  const text = [
    'global',
    '  maxconn 8192',
    'defaults',
    '  mode http',
    '  timeout connect 5s',
    '  timeout client 120s',
    '  timeout server 120s',
    '  timeout queue 120s',
    // A client that leaves while it waits gives its place up.
    '  option abortonclose',
    // Without it HAProxy keeps a backend's connection for its own client's next request only.
    '  http-reuse always',
    // Each piece of a stream goes out at once.
    '  option http-no-delay',
    'frontend in',
    // The port comes from the environment, so that the file serves every try.
    '  bind "127.0.0.1:$STARLING_PORT"',
    '  default_backend out',
    'backend out',
    '  balance leastconn',
    ...servers,
  ];
  await writeFile(config, `${text.join('\n')}\n`);
  return await startServer(
    {
      name: 'haproxy',
      scheme: 'http',
      program,
      args: () => ['-db', '-f', config],
      env: (port) => ({ STARLING_PORT: String(port) }),
      serves: async (port) => {
        // HAProxy itself answers a request that is no HTTP with 400 (RFC 9110 §15.5.1).
        const answer = await askPort({
          port,
          question: 'no http\r\n\r\n',
          enough: (text) => text.startsWith('HTTP/1.'),
          clock,
        });
        return answer !== undefined;
      },
    },
    { port: undefined, clock, release: () => folder.remove() },
  );
}
