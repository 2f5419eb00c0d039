import { context, DiagLogLevel, diag, logs, metrics, propagation, trace } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { IMetricReader } from '@opentelemetry/sdk-metrics';
import type { SpanProcessor } from '@opentelemetry/sdk-trace';
import { ATTR_SERVICE_INSTANCE_ID, ATTR_SERVICE_NAME } from '@opentelemetry/semantic-conventions';
import type { Clock } from '@starling/clock';
import type { ConfigOf, telemetrySection } from '@starling/config';
import { CorrelationSpanProcessor } from './correlation-span-processor.ts';
import { type Logger, log, useLogOutput } from './log.ts';
import { openLogFile, standardErrorSink } from './log-sinks.ts';
import { propagator } from './propagation.ts';
import { registerSecret } from './redact.ts';
import { SpanWriter } from './span-writer.ts';

/** Settings of telemetry. */
export type TelemetryConfig = ConfigOf<typeof telemetrySection>;

/** What telemetry needs to know about the process. */
export interface TelemetryOptions {
  /** `bot`, `balancer`, `worker`, or `starling` when one process is all of them. */
  readonly service: string;
  /** Tells the processes of one service apart, for example `worker-1`. */
  readonly instanceId: string;
  readonly config: TelemetryConfig;
  readonly clock: Clock;
  /** Values that must never be written: the bot token, provider keys. */
  readonly secrets?: readonly string[];
}

/** One export; the collector is on the same network, and drain waits for the last one. */
const exportTimeoutMs = 3_000;
/** Time between two reports of the metrics: OpenTelemetry's default is 60 s, too slow to look at. */
const metricsIntervalMs = 10_000;

let running = false;

/**
 * Starts OpenTelemetry and the log of this process: first in, last out of a composition root. Spans
 * leave the process only when an OTLP endpoint is set; without one no connection is ever tried.
 * Disposing it sends what waits.
 * @throws {Error} when telemetry already runs in this process
 */
export async function startTelemetry(options: TelemetryOptions): Promise<AsyncDisposable> {
  if (running) throw new Error('telemetry was already started in this process');
  running = true;
  const { config, service, clock } = options;
  for (const secret of options.secrets ?? []) registerSecret(secret);
  await using stack = new AsyncDisposableStack();
  stack.defer(() => {
    running = false;
  });

  const own = log('telemetry', service);
  const sinks = [standardErrorSink(config.logFormat)];
  if (config.logFile !== undefined) {
    const file = stack.use(
      openLogFile(config.logFile, (error) => own.warn('log_file.broken', { error })),
    );
    sinks.push(file.sink);
  }
  stack.use(useLogOutput({ level: config.logLevel, clock, defaultRole: service, sinks }));
  // A reader of the log that went away must not take the process with it.
  const onPipeError = () => {};
  process.stderr.on('error', onPipeError);
  stack.defer(() => void process.stderr.off('error', onPipeError));

  stack.use(reportDiagnostics(own));
  const { NodeSDK } = await import('@opentelemetry/sdk-node');
  const sdk = new NodeSDK({
    autoDetectResources: false,
    resource: resourceFromAttributes({
      [ATTR_SERVICE_NAME]: service,
      [ATTR_SERVICE_INSTANCE_ID]: options.instanceId,
    }),
    textMapPropagator: propagator,
    // Without an exporter spans still exist: their trace is the correlation id.
    spanProcessors: [
      new CorrelationSpanProcessor(service),
      ...(await spanExport(config, { clock, own })),
    ],
    metricReaders: await metricExport(config),
    logRecordProcessors: [],
    instrumentations: [],
  });
  sdk.start();
  stack.defer(async () => {
    await sdk.shutdown().catch((error: unknown) => own.warn('shutdown.incomplete', { error }));
    forgetGlobals();
  });

  const owned = stack.move();
  return { [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** OpenTelemetry keeps its parts in process-wide globals; the next start needs them free. */
export function forgetGlobals(): void {
  trace.disable();
  metrics.disable();
  logs.disable();
  context.disable();
  propagation.disable();
}

async function spanExport(
  config: TelemetryConfig,
  parts: { readonly clock: Clock; readonly own: Logger },
): Promise<SpanProcessor[]> {
  if (config.otlpEndpoint === undefined) return [];
  const { sendSpansTo } = await import('./send-spans.ts');
  const { clock, own } = parts;
  const writer = new SpanWriter({
    clock,
    send: sendSpansTo(config.otlpEndpoint),
    onTrouble: (error) => own.warn('spans.lost', { error }),
    onRestored: (lost) => own.ok('spans.restored', { lost }),
  });
  return [writer];
}

async function metricExport(config: TelemetryConfig): Promise<IMetricReader[]> {
  if (config.otlpEndpoint === undefined || config.metricsExporter === 'none') return [];
  const { PeriodicExportingMetricReader } = await import('@opentelemetry/sdk-metrics');
  const { OTLPMetricExporter } = await import('@opentelemetry/exporter-metrics-otlp-http');
  return [
    new PeriodicExportingMetricReader({
      exporter: new OTLPMetricExporter({
        url: `${config.otlpEndpoint}/v1/metrics`,
        timeoutMillis: exportTimeoutMs,
      }),
      exportIntervalMillis: metricsIntervalMs,
      exportTimeoutMillis: exportTimeoutMs,
    }),
  ];
}

/** The SDK's own troubles, such as a collector that is away, go through our log. */
function reportDiagnostics(own: Logger): Disposable {
  diag.setLogger(
    {
      error: (message, ...args) => own.warn('sdk.trouble', { message, args }),
      warn: (message, ...args) => own.warn('sdk.warning', { message, args }),
      info: () => {},
      debug: () => {},
      verbose: () => {},
    },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  return { [Symbol.dispose]: () => diag.disable() };
}
