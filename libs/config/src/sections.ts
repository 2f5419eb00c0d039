/** Every setting of Starling, by the part that reads it. */
import { field } from './parse.ts';

/** Where NATS is. */
export const natsSection = {
  url: field.url('NATS_URL', {
    default: 'nats://127.0.0.1:4222',
    protocols: ['nats:', 'tls:'],
    doc: 'The NATS server that carries jobs, frames and load reports. `npm start` sets it.',
  }),
  connectTimeoutMs: field.integer('STARLING_CONNECT_TIMEOUT_MS', {
    default: 15_000,
    min: 100,
    max: 600_000,
    unit: 'milliseconds',
    doc: 'How long a process waits at start for NATS and Redis before it gives up with a clear error. Longer survives slow start-ups, shorter reports a wrong address sooner.',
  }),
} as const;

/** Where Redis is. */
export const redisSection = {
  url: field.url('REDIS_URL', {
    default: 'redis://127.0.0.1:6379',
    protocols: ['redis:', 'rediss:'],
    doc: 'The Redis server that keeps conversations and the bounds on queued work. `npm start` sets it.',
  }),
  commandTimeoutMs: field.integer('STARLING_REDIS_COMMAND_TIMEOUT_MS', {
    default: 200,
    min: 10,
    max: 10_000,
    unit: 'milliseconds',
    doc: 'A Redis command that takes longer counts as failed. Shorter keeps answers quick while Redis is stuck, longer tolerates a slow disk.',
  }),
} as const;

/** The local fleet that `npm start` runs. */
export const localSection = {
  portBase: field.integer('STARLING_PORT_BASE', {
    default: 47_000,
    min: 1024,
    max: 65_000,
    doc: 'First of the six loopback ports that `npm start` uses: control, NATS, Redis, Discord emulator (REST, gateway), provider emulator. Change it when another program has one of them.',
  }),
  balancers: field.integer('STARLING_BALANCERS', {
    default: 2,
    min: 1,
    max: 8,
    doc: 'Balancer processes of the local fleet. One is enough for the load; two show that none is special.',
  }),
  workers: field.integer('STARLING_WORKERS', {
    default: 2,
    min: 1,
    max: 32,
    doc: 'Worker processes of the local fleet. More run more answers at once and take about 100 MB each.',
  }),
  directory: field.text('STARLING_DIR', {
    default: '.run',
    doc: 'Folder for the run file, logs and, with a real Discord, the data of NATS and Redis.',
  }),
} as const;

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
