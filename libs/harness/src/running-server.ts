/** A real server as a child process: started until it serves, stopped until it is gone. */
import type { Clock } from '@starling/clock';
import { BoundProcess, type Exit } from './bound-process.ts';
import type { ServerProgram } from './debian-programs.ts';
import { baseEnvironment } from './environment.ts';
import { freePort, portIsFree } from './free-port.ts';
import { HarnessError } from './harness-error.ts';

/** A server that serves. Disposing it is {@link RunningServer.stop}. */
export interface RunningServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Of the running process, or of the last one. Another one after {@link RunningServer.restart}. */
  readonly pid: number;
  /** Resolves when the process that runs now has ended, whoever ended it. */
  readonly exited: Promise<Exit>;
  /** Ends it in order, and by force after 5 s; removes a folder of its own. Twice is harmless. */
  stop(): Promise<void>;
  /** Kill -9; what it stored stays for {@link RunningServer.restart}. */
  kill(): Promise<void>;
  /** Starts it again on the same port and store, ending it first when it still runs. */
  restart(): Promise<void>;
  /** The end of what it printed. */
  output(): string;
}

/** What differs between the servers. */
export interface ServerKind {
  readonly name: string;
  readonly scheme: string;
  readonly program: ServerProgram;
  readonly args: (port: number) => readonly string[];
  /** On top of the program's own environment. */
  readonly env?: (port: number) => Readonly<Record<string, string>>;
  /** Whether the process `pid` itself serves on the port now: not merely somebody. */
  readonly serves: (port: number, pid: number) => Promise<boolean>;
}

const probeEveryMs = 20;
/** A store of some gigabytes is read in this time; a server that needs longer will not come. */
const startTimeoutMs = 30_000;
const stopGraceMs = 5_000;
/** Tries with another port when ours was taken between finding it free and listening on it. */
const maxPortTries = 5;

/**
 * Starts a server and resolves when it serves.
 * @param options.port fixed, or undefined for a free one
 * @param options.release called once, after the server was stopped for good
 * @throws {HarnessError} `port_in_use`, `start_failed`
 */
export async function startServer(
  kind: ServerKind,
  options: {
    readonly port: number | undefined;
    readonly clock: Clock;
    readonly release: () => Promise<void>;
  },
): Promise<RunningServer> {
  const { clock, release } = options;
  let port = options.port ?? (await freePort());
  let stopping: Promise<void> | undefined;
  let child: BoundProcess;
  for (let tries = 1; ; tries += 1) {
    try {
      child = await launch(kind, port, clock);
      break;
    } catch (error) {
      const taken = error instanceof HarnessError && error.code === 'port_in_use';
      if (!taken || options.port !== undefined || tries === maxPortTries) {
        await release();
        throw error;
      }
      port = await freePort();
    }
  }
  const endChild = (): Promise<Exit> => child.end({ graceMs: stopGraceMs, clock });
  const server: RunningServer = {
    url: `${kind.scheme}://127.0.0.1:${port}`,
    port,
    get pid() {
      return child.pid;
    },
    get exited() {
      return child.exited;
    },
    async stop() {
      stopping ??= endChild().then(release);
      await stopping;
    },
    async kill() {
      child.signal('SIGKILL');
      await child.exited;
    },
    async restart() {
      if (stopping !== undefined)
        throw new HarnessError('start_failed', `${kind.name} was stopped for good`);
      await endChild();
      child = await launch(kind, port, clock);
    },
    output: () => child.output(),
    [Symbol.asyncDispose]: () => server.stop(),
  };
  return server;
}

async function launch(kind: ServerKind, port: number, clock: Clock): Promise<BoundProcess> {
  if (!(await portIsFree(port))) throw portInUse(kind, port);
  const child = new BoundProcess({
    command: kind.program.path,
    args: kind.args(port),
    env: { ...baseEnvironment(), ...kind.program.env, ...kind.env?.(port) },
  });
  const giveUpAtMs = clock.monotonicMs() + startTimeoutMs;
  while (!child.exit && clock.monotonicMs() < giveUpAtMs) {
    if (await kind.serves(port, child.pid)) return child;
    await clock.sleep(probeEveryMs);
  }
  const exit = child.exit;
  await child.end({ graceMs: 0, clock });
  if (exit && !(await portIsFree(port))) throw portInUse(kind, port);
  const how = exit
    ? `ended with ${exit.code ?? exit.signal}`
    : `did not serve in ${startTimeoutMs} ms`;
  throw new HarnessError('start_failed', `${kind.name} ${how}: ${child.lastLines(3)}`);
}

function portInUse(kind: ServerKind, port: number): HarnessError {
  return new HarnessError(
    'port_in_use',
    `${kind.name}: port ${port} on 127.0.0.1 is in use by another program; end that one or choose another port`,
  );
}
