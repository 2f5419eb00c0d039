import { field } from '../parse.ts';

/** Traces, metrics and the log of a process. */
export const telemetrySection = {
  logLevel: field.oneOf('STARLING_LOG_LEVEL', {
    default: 'info',
    values: ['debug', 'info', 'warn', 'error'],
    doc: 'The least grave events that are written. `debug` shows each step and costs time under load, `warn` keeps a busy fleet quiet.',
  }),
  logFormat: field.oneOf('STARLING_LOG_FORMAT', {
    default: 'auto',
    values: ['auto', 'pretty', 'json'],
    doc: 'Lines for people or JSON, one line each, on standard error. `auto` takes `pretty` on a terminal.',
  }),
  logFile: field.text('STARLING_LOG_FILE', {
    default: undefined,
    accepts: 'path',
    doc: 'Also appends the log to this file, as JSON. It is never rotated.',
  }),
  otlpEndpoint: field.url('OTEL_EXPORTER_OTLP_ENDPOINT', {
    default: undefined,
    protocols: ['http:', 'https:'],
    doc: 'Sends traces and metrics to this OTLP collector, for example `http://127.0.0.1:4318`. Unset, nothing leaves the process.',
  }),
  metricsExporter: field.oneOf('OTEL_METRICS_EXPORTER', {
    default: 'otlp',
    values: ['otlp', 'none'],
    doc: '`none` for a collector that takes traces only, such as Jaeger.',
  }),
} as const;
