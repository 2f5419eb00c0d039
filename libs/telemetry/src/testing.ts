/** Telemetry in memory, for the tests of every part. */
export { type CapturedMetric, type CapturedTelemetry, captureTelemetry } from './capture.ts';
export { logLineSchema } from './log-line-schema.ts';
export { type CollectedSpan, startTraceCollector, type TraceCollector } from './trace-collector.ts';
