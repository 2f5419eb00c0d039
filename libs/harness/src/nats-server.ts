import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, systemClock } from '@starling/clock';
import type { ServerProgram } from './debian-programs.ts';
import { locateServers } from './locate-servers.ts';
import { askPort } from './probe.ts';
import { type RunningServer, startServer } from './running-server.ts';
import { temporaryFolder } from './temp-folder.ts';

/** How a NATS server is started; each has a default. */
export interface NatsServerOptions {
  /** Where JetStream keeps its files; default a folder that goes with the server. */
  readonly storeDir?: string;
  /** Default a free one. */
  readonly port?: number;
  /** The largest payload in bytes; default 1 MiB, the server's own default. */
  readonly maxPayloadBytes?: number;
  /** The ports on which the servers of a cluster speak to each other, its own first; default no cluster. */
  readonly clusterPorts?: readonly number[];
  /** Default: everybody may connect. */
  readonly authorization?: { readonly user: string; readonly password: string };
  /** Default: what {@link locateServers} finds. */
  readonly program?: ServerProgram;
  readonly clock?: Clock;
}

/**
 * Starts a NATS server with JetStream on 127.0.0.1, and resolves when it serves.
 * @throws {HarnessError} `not_found`, `port_in_use`, `start_failed`
 */
export async function startNatsServer(options: NatsServerOptions = {}): Promise<RunningServer> {
  const { clock = systemClock } = options;
  const program = options.program ?? (await locateServers({ clock })).natsServer;
  const folder = await temporaryFolder('starling-nats');
  const name = `starling-${randomUUID()}`;
  const config = join(folder.path, 'nats.conf');
  const lines = [
    `server_name: "${name}"`,
    `max_payload: ${options.maxPayloadBytes ?? 1_048_576}`,
    `jetstream { store_dir: ${JSON.stringify(options.storeDir ?? join(folder.path, 'store'))} }`,
  ];
  const { user, password } = options.authorization ?? {};
  if (user !== undefined) lines.push(`authorization ${JSON.stringify({ user, password })}`);
  const [clusterPort] = options.clusterPorts ?? [];
  if (clusterPort !== undefined) {
    const routes = options.clusterPorts?.map((port) => `"nats://127.0.0.1:${port}"`).join(', ');
    lines.push(
      `cluster { name: "tests", listen: "127.0.0.1:${clusterPort}", routes: [${routes}] }`,
    );
  }
  const hello = JSON.stringify({ verbose: false, user, pass: password });
  await writeFile(config, `${lines.join('\n')}\n`);
  return await startServer(
    {
      name: 'nats-server',
      scheme: 'nats',
      program,
      args: (port) => ['--config', config, '--addr', '127.0.0.1', '--port', String(port)],
      serves: async (port) => {
        // The server speaks first (docs.nats.io, NATS protocol, INFO); PONG tells that it takes commands.
        const answer = await askPort({
          port,
          question: `CONNECT ${hello}\r\nPING\r\n`,
          enough: (text) => text.includes('PONG'),
          clock,
        });
        return answer?.includes(name) === true && answer.includes('"jetstream":true');
      },
    },
    { port: options.port, clock, release: () => folder.remove() },
  );
}
