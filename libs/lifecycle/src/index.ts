export { type Backoff, fullJitterMs } from './backoff.ts';
export { createDrainable, type DrainableParts } from './create-drainable.ts';
export { drainAll } from './drain-all.ts';
export type { Drainable } from './drainable.ts';
export type { LifecycleLog } from './lifecycle-log.ts';
export { nodeHost, type ProcessHost, type ReadyMessage } from './process-host.ts';
export {
  type ProcessEffect,
  type ProcessEvent,
  type ProcessState,
  type ProcessStep,
  type StopCause,
  type StopSignal,
  signalEchoMs,
  stepProcess,
} from './process-state.ts';
export {
  type BuiltProcess,
  type RunProcessOptions,
  runProcess,
  settingsExitCode,
} from './run-process.ts';
export type {
  ChildCommand,
  ChildEars,
  ChildExit,
  ChildHandle,
  SpawnChild,
} from './spawn-child.ts';
export {
  ChildError,
  type ChildReadiness,
  type RestartPolicy,
  type SupervisedChild,
  type SuperviseOptions,
  superviseChild,
} from './supervise-child.ts';
