/**
 * Keeps one child process alive: waits for its readiness, starts it again after a failure with
 * growing, jittered pauses up to a bound, and ends it by SIGTERM, then SIGKILL. It never lets go of
 * a child that may still run. One that says that its settings are wrong is given up at once.
 */
import type { Clock, Random } from '@starling/clock';
import { type Backoff, fullJitterMs } from './backoff.ts';
import { createDrainable } from './create-drainable.ts';
import type { Drainable } from './drainable.ts';
import type { LifecycleLog } from './lifecycle-log.ts';
import { asReadyMessage } from './process-host.ts';
import { settingsExitCode } from './run-process.ts';
import {
  type ChildCommand,
  type ChildExit,
  type ChildHandle,
  type SpawnChild,
  spawnChild,
} from './spawn-child.ts';

/** How a child tells that it serves: {@link runProcess}'s message, or a line that `matches`. */
export type ChildReadiness =
  | { readonly kind: 'message' }
  | { readonly kind: 'line'; readonly matches: (line: string) => boolean };

export interface RestartPolicy extends Backoff {
  /** Failures in a row after which the child is given up. 0: one try only. */
  readonly maxRestarts: number;
  /** A child that served this long starts counting anew, milliseconds. */
  readonly steadyMs: number;
}

/** Five tries in about 15 s outlast a port in TIME_WAIT or a slow broker, and end before a person gives up. */
const defaultRestartPolicy: RestartPolicy = {
  baseMs: 500,
  capMs: 10_000,
  maxRestarts: 5,
  steadyMs: 30_000,
};

export interface SuperviseOptions {
  readonly name: string;
  readonly command: ChildCommand;
  readonly clock: Clock;
  readonly random: Random;
  readonly ready: ChildReadiness;
  /** From spawn to readiness, milliseconds; a child that takes longer is killed and counts as failed. */
  readonly readyTimeoutMs: number;
  /** From SIGTERM to SIGKILL when it is disposed, milliseconds. */
  readonly stopDeadlineMs: number;
  /** Default: five more tries within about 15 s, counting anew after 30 s of service. */
  readonly restart?: RestartPolicy;
  /** The shortest pause before it is started again, milliseconds; 0 unless given. */
  readonly minPauseMs?: number;
  /** Gives up the start and kills the child; means nothing once the child served. */
  readonly signal?: AbortSignal;
  readonly log?: LifecycleLog;
  readonly onLine?: (line: string, stream: 'stdout' | 'stderr') => void;
  /** Every other IPC message. */
  readonly onMessage?: (message: unknown) => void;
  /** It failed and will be started again. */
  readonly onRestart?: (error: ChildError) => void;
  /** The child served and is now given up: too many failures in a row. */
  readonly onGaveUp?: (error: ChildError) => void;
  readonly spawn?: SpawnChild;
}

/** A child that is kept alive. Draining sends SIGTERM and waits, killing it when the signal aborts. */
export interface SupervisedChild extends Drainable {
  readonly name: string;
  /** Of the child that runs now; undefined between two of them. */
  readonly pid: number | undefined;
  /** What the running child said with its readiness. */
  readonly ready: Readonly<Record<string, unknown>>;
  readonly restarts: number;
}

/** A child could not be brought to serve. */
export class ChildError extends Error {
  override readonly name = 'ChildError';
  /** How it ended, in a few words; the message also has the last lines that it said. */
  readonly how: string;

  constructor(how: string, lastLines: readonly string[] = []) {
    const said = lastLines.length > 0 ? `; it said last:\n  ${lastLines.join('\n  ')}` : '';
    super(`${how}${said}`);
    this.how = how;
  }
}

/** Last lines of a child's output that its failure quotes. */
const quotedLines = 20;

/**
 * Starts a child and resolves when it serves.
 * @throws {ChildError} with the child's last lines, when it does not within its tries; the signal's
 * reason when that aborts first
 */
export async function superviseChild(options: SuperviseOptions): Promise<SupervisedChild> {
  const { clock, random, log, name, restart = defaultRestartPolicy } = options;
  const stopping = new AbortController();
  let child: ChildHandle | undefined;
  let ready: Readonly<Record<string, unknown>> = {};
  let restarts = 0;
  const first = Promise.withResolvers<void>();
  let served = false;

  const live = async (): Promise<void> => {
    for (let failures = 0; ; ) {
      const attempt = startChild(options);
      child = attempt.child;
      const outcome = await attempt.outcome;
      if (outcome.kind === 'ready') {
        const sinceMs = clock.monotonicMs();
        ready = outcome.detail;
        served = true;
        first.resolve();
        log?.info('child.ready', { child: name, pid: child.pid });
        await child.exited;
        if (clock.monotonicMs() - sinceMs >= restart.steadyMs) failures = 0;
      } else {
        child.kill('SIGKILL');
      }
      const exit = await child.exited;
      // Whatever the child left in its process group goes with it.
      child.kill('SIGKILL');
      child = undefined;
      if (stopping.signal.aborted) throw stopping.signal.reason;
      failures += 1;
      const error = new ChildError(endingText(name, outcome, exit), attempt.lastLines);
      log?.warn('child.failed', { child: name, failures, error });
      const hopeless = exit.error !== undefined || exit.code === settingsExitCode;
      if (hopeless || failures > restart.maxRestarts) throw error;
      options.onRestart?.(error);
      const pauseMs = Math.max(options.minPauseMs ?? 0, fullJitterMs(restart, failures, random));
      await clock.sleep(pauseMs, { signal: stopping.signal });
      restarts += 1;
    }
  };
  const ended = live().catch((error: unknown) => {
    first.reject(error);
    const gaveUp = served && !stopping.signal.aborted && error instanceof ChildError;
    if (gaveUp) options.onGaveUp?.(error);
  });

  const stop = async (signal: AbortSignal) => {
    stopping.abort(new ChildError(`${name} was asked to end`));
    child?.kill('SIGTERM');
    const kill = () => child?.kill('SIGKILL');
    signal.addEventListener('abort', kill, { once: true });
    if (signal.aborted) kill();
    await ended;
    signal.removeEventListener('abort', kill);
  };
  const drainable = createDrainable({
    drain: ({ signal }) => stop(signal),
    async release() {
      const deadline = new AbortController();
      using _timer = clock.schedule(options.stopDeadlineMs, () => deadline.abort());
      await stop(deadline.signal);
    },
  });
  const abandon = () => {
    stopping.abort(options.signal?.reason);
    child?.kill('SIGKILL');
  };
  options.signal?.addEventListener('abort', abandon, { once: true });
  if (options.signal?.aborted) abandon();
  try {
    await first.promise;
  } finally {
    options.signal?.removeEventListener('abort', abandon);
  }
  return {
    name,
    get pid() {
      return child?.pid;
    },
    get ready() {
      return ready;
    },
    get restarts() {
      return restarts;
    },
    drain: drainable.drain,
    [Symbol.asyncDispose]: drainable[Symbol.asyncDispose],
  };
}

type StartOutcome =
  | { readonly kind: 'ready'; readonly detail: Readonly<Record<string, unknown>> }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'exited' };

function startChild(options: SuperviseOptions) {
  const { clock, ready, spawn = spawnChild } = options;
  const lastLines: string[] = [];
  const { promise: outcome, resolve } = Promise.withResolvers<StartOutcome>();
  const child = spawn(
    options.command,
    {
      line(text, stream) {
        lastLines.push(text);
        if (lastLines.length > quotedLines) lastLines.shift();
        if (ready.kind === 'line' && ready.matches(text)) {
          resolve({ kind: 'ready', detail: asReadyMessage(text) ?? {} });
        }
        options.onLine?.(text, stream);
      },
      message(value) {
        const message = ready.kind === 'message' ? asReadyMessage(value) : undefined;
        if (message) resolve({ kind: 'ready', detail: message });
        else options.onMessage?.(value);
      },
    },
    clock,
  );
  const timer = clock.schedule(options.readyTimeoutMs, () => resolve({ kind: 'timeout' }));
  void child.exited.then(() => resolve({ kind: 'exited' }));
  void outcome.then(() => timer[Symbol.dispose]());
  return { child, outcome, lastLines };
}

function endingText(name: string, outcome: StartOutcome, exit: ChildExit): string {
  const how = exit.error
    ? `could not be started: ${exit.error.message}`
    : outcome.kind === 'timeout'
      ? 'was not ready in time'
      : `ended ${outcome.kind === 'ready' ? '' : 'before it was ready '}with ${exit.signal ?? `code ${exit.code}`}`;
  return `${name} ${how}`;
}
