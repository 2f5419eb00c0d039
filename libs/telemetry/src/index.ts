export {
  type Attributes,
  type Context,
  type Link,
  type Span,
  type SpanContext,
  SpanKind,
} from '@opentelemetry/api';
export type { MessageIds } from './correlation.ts';
export { counter, gauge, histogram } from './instruments.ts';
export { type Logger, log } from './log.ts';
export type { LogDetail, LogLevel, LogLine } from './log-line.ts';
export * from './names.ts';
export { type PhaseOptions, PhaseTimeline } from './phases.ts';
export {
  activeContext,
  contextFrom,
  contextWithIds,
  correlationIdOf,
  injectHeaders,
  linkFrom,
  runIn,
} from './propagation.ts';
export { redact, registerSecret } from './redact.ts';
export { type PastSpan, type SpanOptions, withSpan } from './spans.ts';
export { startTelemetry, type TelemetryConfig, type TelemetryOptions } from './start.ts';
export { type RoleTelemetry, telemetryFor } from './telemetry-for.ts';
