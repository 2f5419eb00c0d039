import type { Environment } from '@starling/config';
import type { StopCause, StopSignal } from './process-state.ts';

/** What a running program needs of its process; a test brings its own. */
export interface ProcessHost {
  readonly pid: number;
  /** Calls back for every reason to end, until disposed. */
  onStop(listener: (cause: StopCause) => void): Disposable;
  /** Tells the supervisor over IPC; does nothing without a channel. */
  send(message: object): void;
  writeOut(text: string): void;
  writeError(text: string): void;
  /** Ends the process at once. */
  exit(code: number): void;
}

const stopSignals: readonly StopSignal[] = ['SIGTERM', 'SIGINT', 'SIGHUP'];

/** The Node process itself. */
export const nodeHost: ProcessHost = {
  pid: process.pid,
  onStop(listener) {
    const registered = new DisposableStack();
    const on = (event: string, handler: (...args: unknown[]) => void) => {
      process.on(event, handler);
      registered.defer(() => void process.off(event, handler));
    };
    for (const signal of stopSignals) on(signal, () => listener({ kind: 'signal', signal }));
    on('uncaughtException', (error) => listener({ kind: 'fault', error }));
    on('unhandledRejection', (error) => listener({ kind: 'fault', error }));
    if (process.connected) on('disconnect', () => listener({ kind: 'parent_gone' }));
    // A reader that went away (`starling | head`) is no reason to die.
    const ignore = () => {};
    for (const stream of [process.stdout, process.stderr]) {
      stream.on('error', ignore);
      registered.defer(() => void stream.off('error', ignore));
    }
    return registered;
  },
  send(message) {
    // The callback takes the error of a channel that closed meanwhile; `disconnect` tells of it too.
    if (process.connected) process.send?.(message, undefined, undefined, () => {});
  },
  writeOut: (text) => void process.stdout.write(text),
  writeError: (text) => void process.stderr.write(text),
  exit: (code) => process.exit(code),
};

/** What a program says when it serves: over IPC, and as one line on standard output when asked. */
export interface ReadyMessage {
  readonly ready: true;
  readonly name: string;
  readonly pid: number;
  readonly [detail: string]: unknown;
}

/** `STARLING_READY=stdout` asks for the line; a supervisor without IPC sets it. */
export function announceReady(
  host: ProcessHost,
  environment: Environment,
  message: ReadyMessage,
): void {
  host.send(message);
  if (environment.STARLING_READY === 'stdout') host.writeOut(`${JSON.stringify(message)}\n`);
}

/** The readiness message in a line or an IPC message, if it is one. */
export function asReadyMessage(value: unknown): ReadyMessage | undefined {
  if (typeof value === 'string') {
    if (!value.startsWith('{"ready":true')) return undefined;
    try {
      return asReadyMessage(JSON.parse(value));
    } catch {
      return undefined;
    }
  }
  return typeof value === 'object' && value !== null && 'ready' in value && value.ready === true
    ? (value as ReadyMessage)
    : undefined;
}
