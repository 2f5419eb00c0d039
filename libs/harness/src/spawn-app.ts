import { type Clock, systemClock } from '@starling/clock';
import type { ReadyMessage } from '@starling/lifecycle';
import { BoundProcess, type Exit } from './bound-process.ts';
import { baseEnvironment } from './environment.ts';
import { HarnessError } from './harness-error.ts';

/** How an app is started. */
export interface SpawnAppOptions {
  /** The app's `main.ts`. */
  readonly entry: string | URL;
  readonly args?: readonly string[];
  /** Options of Node itself, for example `--cpu-prof`. */
  readonly nodeArgs?: readonly string[];
  /** All its settings: nothing else of our own environment reaches it but `PATH` and the like. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Default 30 s, twice the default wait of an app for its servers. */
  readonly readyTimeoutMs?: number;
  /** Each piece of output as it comes, for a test that shows it. */
  readonly onOutput?: (text: string) => void;
  readonly clock?: Clock;
}

/** A whole app as a child process. Disposing it is {@link RunningApp.stop}. */
export interface RunningApp extends AsyncDisposable {
  readonly pid: number;
  /** What it said when it was ready, for example the ports it listens on. */
  readonly readiness: ReadyMessage;
  /** Resolves with how it ended, whoever ended it. */
  readonly exited: Promise<Exit>;
  /** The last 256 KiB of its output. */
  output(): string;
  /** Sends a signal to the process alone. */
  signal(signal: NodeJS.Signals): void;
  /**
   * SIGTERM, then SIGKILL after `graceMs` (default 15 s); children of its own that it left behind are
   * killed too. Twice is harmless.
   */
  stop(options?: { readonly graceMs?: number }): Promise<Exit>;
  /** Kill -9 of the process alone, as a crash: what it started is left as it is. */
  kill(): Promise<Exit>;
}

const defaultReadyTimeoutMs = 30_000;
const defaultGraceMs = 15_000;

/**
 * Runs an app's `main.ts` with this Node and waits for its readiness message on the IPC channel.
 * @throws {HarnessError} `start_failed` with the end of its output
 */
export async function spawnApp(options: SpawnAppOptions): Promise<RunningApp> {
  const { clock = systemClock, readyTimeoutMs = defaultReadyTimeoutMs } = options;
  const entry = options.entry instanceof URL ? options.entry.pathname : options.entry;
  const ready = Promise.withResolvers<ReadyMessage | 'late'>();
  const child = new BoundProcess({
    command: process.execPath,
    args: [...(options.nodeArgs ?? []), entry, ...(options.args ?? [])],
    env: { ...baseEnvironment(), ...options.env },
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    ...(options.onOutput && { onOutput: options.onOutput }),
    onMessage: (message) => {
      if (isReadiness(message)) ready.resolve(message);
    },
  });
  using _late = clock.schedule(readyTimeoutMs, () => ready.resolve('late'));
  const first = await Promise.race([ready.promise, child.exited]);
  if (first === 'late' || !('ready' in first)) {
    const how =
      first === 'late'
        ? `was not ready in ${readyTimeoutMs} ms`
        : `ended with ${first.code ?? first.signal} before it was ready`;
    await child.end({ graceMs: 0, clock });
    throw new HarnessError('start_failed', `${entry} ${how}:\n${child.lastLines(20)}`);
  }
  let stopping: Promise<Exit> | undefined;
  const app: RunningApp = {
    pid: child.pid,
    readiness: first,
    exited: child.exited,
    output: () => child.output(),
    signal: (signal) => child.signal(signal),
    stop(how) {
      stopping ??= child.end({ graceMs: how?.graceMs ?? defaultGraceMs, clock });
      return stopping;
    },
    kill() {
      child.signal('SIGKILL');
      return child.exited;
    },
    async [Symbol.asyncDispose]() {
      await app.stop();
    },
  };
  return app;
}

function isReadiness(message: unknown): message is ReadyMessage {
  return (
    typeof message === 'object' && message !== null && 'ready' in message && message.ready === true
  );
}
