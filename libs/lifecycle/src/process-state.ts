/**
 * The life of a process: `starting → serving → draining → stopped | failed`. One pure function holds
 * every transition; `runProcess` only carries out its effects.
 */

/** Why a process ends. */
export type StopCause =
  | { readonly kind: 'signal'; readonly signal: StopSignal }
  /** The IPC channel closed: whoever supervised us is gone, perhaps by kill -9. */
  | { readonly kind: 'parent_gone' }
  /** An error that nobody caught, or that the start ended with. */
  | { readonly kind: 'fault'; readonly error: unknown };

export type StopSignal = 'SIGTERM' | 'SIGINT' | 'SIGHUP';

export type ProcessState =
  | { readonly kind: 'starting' }
  | { readonly kind: 'serving' }
  | {
      readonly kind: 'draining';
      readonly cause: StopCause;
      /** Monotonic milliseconds. */
      readonly sinceMs: number;
      readonly forced: boolean;
    }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'failed'; readonly error: unknown };

export type ProcessEvent =
  /** Every part is up. */
  | { readonly kind: 'built' }
  | { readonly kind: 'build_failed'; readonly error: unknown; readonly atMs: number }
  | { readonly kind: 'stop'; readonly cause: StopCause; readonly atMs: number }
  /** The drain's deadline passed. */
  | { readonly kind: 'deadline' }
  /** Everything is drained and released; `error` when one of the parts failed at it. */
  | { readonly kind: 'ended'; readonly error?: unknown }
  /** What was forced did not end in its grace either. */
  | { readonly kind: 'grace_over' };

/**
 * What is to be done. `drain` drains the parts and then releases; `release` only releases what a
 * failed start had built; `force` stops waiting for work in flight.
 */
export type ProcessEffect =
  | 'announce'
  | 'abort_start'
  | 'arm_deadline'
  | 'drain'
  | 'release'
  | 'force'
  | 'exit';

/**
 * A second signal within this time is the first one once more: npm passes on the Ctrl-C that the
 * terminal has sent to the whole group already, and `timeout` signals child and group.
 */
export const signalEchoMs = 500;

export interface ProcessStep {
  readonly state: ProcessState;
  readonly effects: readonly ProcessEffect[];
}

/** The next state and what follows from reaching it. An event that means nothing here changes nothing. */
export function stepProcess(state: ProcessState, event: ProcessEvent): ProcessStep {
  switch (state.kind) {
    case 'starting':
      return whileStarting(state, event);
    case 'serving':
      return event.kind === 'stop'
        ? { state: draining(event.cause, event.atMs), effects: ['arm_deadline', 'drain'] }
        : { state, effects: [] };
    case 'draining':
      return whileDraining(state, event);
    case 'stopped':
    case 'failed':
      return { state, effects: [] };
  }
}

function draining(cause: StopCause, sinceMs: number): ProcessState {
  return { kind: 'draining', cause, sinceMs, forced: false };
}

function whileStarting(state: ProcessState, event: ProcessEvent): ProcessStep {
  switch (event.kind) {
    case 'built':
      return { state: { kind: 'serving' }, effects: ['announce'] };
    case 'build_failed': {
      const cause = { kind: 'fault', error: event.error } as const;
      return { state: draining(cause, event.atMs), effects: ['arm_deadline', 'release'] };
    }
    case 'stop':
      return { state: draining(event.cause, event.atMs), effects: ['arm_deadline', 'abort_start'] };
    default:
      return { state, effects: [] };
  }
}

function whileDraining(
  state: Extract<ProcessState, { kind: 'draining' }>,
  event: ProcessEvent,
): ProcessStep {
  switch (event.kind) {
    case 'built':
      return { state, effects: ['drain'] };
    case 'build_failed':
      return { state, effects: ['release'] };
    case 'stop': {
      // A fault on the way out makes the ending a failure; a second signal is impatience.
      if (event.cause.kind === 'fault')
        return { state: { ...state, cause: event.cause }, effects: [] };
      const impatient = event.cause.kind === 'signal' && event.atMs - state.sinceMs >= signalEchoMs;
      return impatient ? forced(state) : { state, effects: [] };
    }
    case 'deadline':
      return forced(state);
    case 'ended':
      return { state: ending(state, event.error), effects: ['exit'] };
    case 'grace_over': {
      const error = new Error('forced to end with work in flight');
      return { state: { kind: 'failed', error }, effects: ['exit'] };
    }
  }
}

function forced(state: Extract<ProcessState, { kind: 'draining' }>): ProcessStep {
  return state.forced
    ? { state, effects: [] }
    : { state: { ...state, forced: true }, effects: ['force'] };
}

function ending(
  { cause, forced: wasForced }: Extract<ProcessState, { kind: 'draining' }>,
  error: unknown,
): ProcessState {
  if (cause.kind === 'fault') return { kind: 'failed', error: cause.error };
  if (error !== undefined) return { kind: 'failed', error };
  return wasForced
    ? { kind: 'failed', error: new Error('the drain was cut short') }
    : { kind: 'stopped' };
}
