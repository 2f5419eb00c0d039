/** What this library needs of a log; `log('process')` of `@starling/telemetry` fits. */
export interface LifecycleLog {
  info(event: string, detail?: Record<string, unknown>): void;
  warn(event: string, detail?: Record<string, unknown>): void;
  error(event: string, detail?: Record<string, unknown>): void;
}
