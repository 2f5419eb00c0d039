/**
 * Keeps one cluster alive: starts it in its turn, asks it whether it lives, replaces it when it died
 * or is stuck, with growing pauses. A process is never replaced before it is surely gone: two of them
 * would both hold the shards' sessions (facts §1.3, defect 3).
 */
import type { Clock, Random } from '@starling/clock';
import {
  type Backoff,
  createDrainable,
  type Drainable,
  fullJitterMs,
  settingsExitCode,
} from '@starling/lifecycle';
import type { Logger } from '@starling/telemetry';
import type { ClusterExit, ClusterProcess, LaunchCluster } from './cluster-launcher.ts';
import type { IdentifyLanes } from './identify-lanes.ts';

export interface KeepClusterOptions {
  readonly name: string;
  readonly shards: readonly number[];
  readonly launch: LaunchCluster;
  readonly lanes: IdentifyLanes;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly readyTimeoutMs: number;
  readonly heartbeatMs: number;
  /** The cluster served and is now given up. */
  readonly onGaveUp: (error: ClusterError) => void;
}

export interface KeptCluster extends Drainable {
  /** Of the process that runs now. */
  readonly pid: number | undefined;
  readonly restarts: number;
}

/** A cluster could not be brought to serve, or not any more. */
export class ClusterError extends Error {
  override readonly name = 'ClusterError';
  /** Its settings are wrong: it said so itself, and another try would end the same way. */
  readonly settings: boolean;

  constructor(message: string, options: { readonly settings: boolean }) {
    super(message);
    this.settings = options.settings;
  }
}

/** From 5 s, so that a bad build cannot spend the day's IDENTIFYs, to 5 min (facts §6.4). */
const backoff: Backoff = { baseMs: 5_000, capMs: 300_000 };
/** Failures in a row after which a cluster is given up, and with it the whole bot process. */
const maxFailures = 10;
/** A first start fails at once and says why; whoever supervises the whole process tries again. */
const maxFirstFailures = 1;
/** A cluster that served for so long starts counting anew. */
const steadyMs = 600_000;
/** Unanswered questions in a row after which a cluster counts as stuck. */
const maxMissed = 3;
/** From SIGTERM to SIGKILL of a cluster that is stuck; one that drains has the drain's deadline. */
const stuckGraceMs = 5_000;

/**
 * Starts a cluster and resolves when it serves.
 * @throws {ClusterError} when it does not within its tries; the signal's reason when that aborts
 */
export async function keepCluster(
  options: KeepClusterOptions,
  start: { readonly signal: AbortSignal },
): Promise<KeptCluster> {
  const { clock, lanes, logger, name, random, shards } = options;
  const stopping = new AbortController();
  const first = Promise.withResolvers<void>();
  let current: ClusterProcess | undefined;
  let served = false;
  let restarts = 0;

  /** One run from its start to its end. */
  const run = async (): Promise<{ readonly exit: ClusterExit; readonly servedMs: number }> => {
    const child = await lanes.start(
      shards,
      async () => {
        const started = options.launch({ readyTimeoutMs: options.readyTimeoutMs });
        current = started;
        await Promise.race([started.ready, started.exited]).catch((error: unknown) =>
          logger.warn('cluster.not_ready', { cluster: name, error }),
        );
        return started;
      },
      stopping.signal,
    );
    const isReady = await child.ready.then(
      () => true,
      () => false,
    );
    const sinceMs = clock.monotonicMs();
    if (isReady) {
      served = true;
      first.resolve();
      logger.ok('cluster.ready', { cluster: name, pid: child.pid });
      await watch(child, options, stopping.signal);
    }
    if (!stopping.signal.aborted) await end(child, clock);
    const exit = await child.exited;
    current = undefined;
    return { exit, servedMs: isReady ? clock.monotonicMs() - sinceMs : 0 };
  };

  const live = async (): Promise<void> => {
    for (let failures = 0; ; ) {
      const { exit, servedMs } = await run();
      stopping.signal.throwIfAborted();
      failures = servedMs >= steadyMs ? 1 : failures + 1;
      const error = failureOf(name, exit);
      logger.warn('cluster.failed', { cluster: name, failures, error });
      if (error.settings || failures >= (served ? maxFailures : maxFirstFailures)) throw error;
      await clock.sleep(fullJitterMs(backoff, failures, random), { signal: stopping.signal });
      restarts += 1;
    }
  };
  const ended = live().catch((error: unknown) => {
    first.reject(error);
    if (served && error instanceof ClusterError) options.onGaveUp(error);
  });

  const stop = async (hurry: AbortSignal) => {
    stopping.abort(new Error(`${name} was asked to end`));
    current?.signal('SIGTERM');
    const kill = () => current?.signal('SIGKILL');
    hurry.addEventListener('abort', kill, { once: true });
    if (hurry.aborted) kill();
    await ended;
    hurry.removeEventListener('abort', kill);
  };
  const drainable = createDrainable({
    drain: ({ signal }) => stop(signal),
    release: () => stop(AbortSignal.abort()),
  });
  const abandon = () => void drainable[Symbol.asyncDispose]();
  start.signal.addEventListener('abort', abandon, { once: true });
  if (start.signal.aborted) abandon();
  try {
    await first.promise;
  } catch (error) {
    await drainable[Symbol.asyncDispose]();
    throw error;
  } finally {
    start.signal.removeEventListener('abort', abandon);
  }
  return {
    ...drainable,
    get pid() {
      return current?.pid;
    },
    get restarts() {
      return restarts;
    },
  };
}

function failureOf(name: string, { code, signal }: ClusterExit): ClusterError {
  return code === settingsExitCode
    ? new ClusterError(`${name} cannot run with these settings; it has said why`, {
        settings: true,
      })
    : new ClusterError(`${name} ended with ${signal ?? `code ${code}`}`, { settings: false });
}

/** Resolves when the process is gone, is stuck, or is to end. */
async function watch(
  child: ClusterProcess,
  { clock, heartbeatMs, logger, name }: KeepClusterOptions,
  stopping: AbortSignal,
): Promise<void> {
  let alive = true;
  void child.exited.then(() => {
    alive = false;
  });
  for (let missed = 0; alive && missed < maxMissed; ) {
    const pause = clock.sleep(heartbeatMs, { signal: stopping }).catch(() => {});
    await Promise.race([pause, child.exited]);
    if (stopping.aborted || !alive) return;
    await child.ping(heartbeatMs).then(
      () => {
        missed = 0;
      },
      (error: unknown) => {
        missed += 1;
        logger.warn('cluster.silent', { cluster: name, missed, error });
      },
    );
  }
}

/** SIGTERM, then SIGKILL; resolves when the process is gone. */
async function end(child: ClusterProcess, clock: Clock): Promise<void> {
  child.signal('SIGTERM');
  using _kill = clock.schedule(stuckGraceMs, () => child.signal('SIGKILL'));
  await child.exited;
}
