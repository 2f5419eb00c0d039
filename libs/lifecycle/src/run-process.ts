import type { Clock } from '@starling/clock';
import { ConfigError, type Environment } from '@starling/config';
import { drainAll } from './drain-all.ts';
import type { Drainable } from './drainable.ts';
import type { LifecycleLog } from './lifecycle-log.ts';
import { announceReady, nodeHost, type ProcessHost } from './process-host.ts';
import { type ProcessEvent, type ProcessState, stepProcess } from './process-state.ts';

/** What a program built: its parts in the order of their start. */
export interface BuiltProcess {
  readonly parts: readonly Drainable[];
  /** Told with readiness, for example ports. */
  readonly ready?: Record<string, unknown>;
  /** Replaces the option of the same name, when it was read from the configuration. */
  readonly drainDeadlineMs?: number;
}

export interface RunProcessOptions {
  readonly name: string;
  readonly clock: Clock;
  /** `process.env` of the composition root. */
  readonly environment: Environment;
  /** How long work in flight may take to end, milliseconds; then it is let go. */
  readonly drainDeadlineMs: number;
  readonly log?: LifecycleLog;
  /**
   * Builds the parts. What must be released but cannot drain goes onto the stack, telemetry first;
   * the parts themselves are put on top of it. The signal aborts when the process is asked to end
   * before it serves.
   */
  build(
    stack: AsyncDisposableStack,
    start: { readonly signal: AbortSignal },
  ): Promise<BuiltProcess | readonly Drainable[]>;
  readonly host?: ProcessHost;
}

/** Exit code of a program whose settings are wrong: with the same ones another try ends the same way. */
export const settingsExitCode = 2;

/** After force: long enough to close sockets and kill children, short for a person who pressed Ctrl-C twice. */
const forceGraceMs = 2_000;

/**
 * Runs a program from its first line to its exit. Exit codes: 0 stopped as asked, 1 failed, 2 a
 * setting is wrong (each is printed with its value and the remedy). A stop drains the parts against
 * their order of start; at the deadline, or at a second signal, waiting ends and what is held is
 * released. An error that nobody caught is logged and ends the process in the same orderly way.
 * @returns the exit code, once the host was told to exit
 */
export async function runProcess(options: RunProcessOptions): Promise<number> {
  const { clock, host = nodeHost, log, name } = options;
  const stack = new AsyncDisposableStack();
  const timers = new DisposableStack();
  const start = new AbortController();
  const hurry = new AbortController();
  const { promise: exited, resolve: exit } = Promise.withResolvers<number>();
  let state: ProcessState = { kind: 'starting' };
  let built: BuiltProcess = { parts: [] };

  const told = new Set<unknown>();
  /** Logs a failure once, while the log is still what the program made it. */
  const tell = (event: string, error: unknown) => {
    if (!told.has(error) && !(error instanceof ConfigError)) log?.error(event, { error });
    told.add(error);
  };

  const release = async (drainError?: unknown) => {
    try {
      await stack.disposeAsync();
      dispatch({ kind: 'ended', ...(drainError !== undefined && { error: drainError }) });
    } catch (error) {
      dispatch({ kind: 'ended', error });
    }
  };
  const effects = {
    announce() {
      log?.info('process.serving', { pid: host.pid });
      announceReady(host, options.environment, {
        ready: true,
        name,
        pid: host.pid,
        ...built.ready,
      });
    },
    abort_start: () => start.abort(new Error('asked to end before the start was over')),
    arm_deadline() {
      const deadlineMs = built.drainDeadlineMs ?? options.drainDeadlineMs;
      timers.use(clock.schedule(deadlineMs, () => dispatch({ kind: 'deadline' })));
    },
    drain() {
      drainAll(built.parts, { signal: hurry.signal }).then(
        () => release(),
        (error: unknown) => {
          tell('process.drain_failed', error);
          return release(error);
        },
      );
    },
    release: () => void release(),
    force() {
      hurry.abort(new Error('the drain was cut short'));
      timers.use(clock.schedule(forceGraceMs, () => dispatch({ kind: 'grace_over' })));
    },
    exit() {
      timers.dispose();
      if (state.kind === 'failed') {
        if (state.error instanceof ConfigError) host.writeError(settingsText(name, state.error));
        tell('process.failed', state.error);
      }
      const code = exitCodeOf(state);
      host.exit(code);
      exit(code);
    },
  };
  const dispatch = (event: ProcessEvent) => {
    // A start that was called off ends with just that error.
    if (event.kind === 'build_failed' && !start.signal.aborted)
      tell('process.start_failed', event.error);
    if (event.kind === 'stop') {
      const { cause } = event;
      if (cause.kind === 'fault') tell('process.fault', cause.error);
      else log?.info('process.stop_asked', { ...cause });
    }
    const next = stepProcess(state, event);
    state = next.state;
    for (const effect of next.effects) effects[effect]();
  };

  timers.use(host.onStop((cause) => dispatch({ kind: 'stop', cause, atMs: clock.monotonicMs() })));
  Promise.try(() => options.build(stack, { signal: start.signal })).then(
    (result) => {
      built = 'parts' in result ? result : { parts: result };
      for (const part of built.parts) stack.use(part);
      dispatch({ kind: 'built' });
    },
    (error: unknown) => dispatch({ kind: 'build_failed', error, atMs: clock.monotonicMs() }),
  );
  return exited;
}

function exitCodeOf(state: ProcessState): number {
  if (state.kind === 'stopped') return 0;
  return state.kind === 'failed' && state.error instanceof ConfigError ? settingsExitCode : 1;
}

/** One setting a line: variable, value, remedy. */
function settingsText(name: string, { problems }: ConfigError): string {
  const lines = problems.map(
    ({ variable, value, problem }) => `  ${variable}=${value}: ${problem}\n`,
  );
  return `${name} cannot start:\n${lines.join('')}`;
}
