import { type Context, context, type Span } from '@opentelemetry/api';
import type { Clock } from '@starling/clock';
import type { Headers } from '@starling/contracts';
import { withRole } from './correlation.ts';
import { type Logger, log } from './log.ts';
import type { SpanName } from './names.ts';
import { PhaseTimeline } from './phases.ts';
import { contextFrom } from './propagation.ts';
import { type PastSpan, recordSpan, type SpanOptions, withSpan } from './spans.ts';

/**
 * Telemetry in the name of one role. Several roles share a process when embedded, so the name of the
 * process cannot say who did it: `starling.role` on each span and `name` in each log line do.
 */
export interface RoleTelemetry {
  readonly role: string;
  log(subsystem: string): Logger;
  withSpan<T>(
    name: SpanName,
    options: Omit<SpanOptions, 'role'>,
    fn: (span: Span) => Promise<T> | T,
  ): Promise<T>;
  recordSpan(name: SpanName, past: Omit<PastSpan, 'role'>): void;
  /** The context that a bus message brought, with this role acting in it. */
  contextFrom(headers: Headers): Context;
  /** Runs `fn` with this role acting, in the active context unless one is given. */
  run<T>(fn: () => T, inside?: Context): T;
  timeline(clock: Clock): PhaseTimeline;
}

/** The telemetry of a role: `bot`, `balancer`, `worker`. Cheap; may be made before telemetry starts. */
export function telemetryFor(role: string): RoleTelemetry {
  return {
    role,
    log: (subsystem) => log(subsystem, role),
    withSpan: (name, options, fn) => withSpan(name, { ...options, role }, fn),
    recordSpan: (name, past) => recordSpan(name, { ...past, role }),
    contextFrom: (headers) => withRole(contextFrom(headers), role),
    run: (fn, inside = context.active()) => context.with(withRole(inside, role), fn),
    timeline: (clock) => new PhaseTimeline(clock, role),
  };
}
