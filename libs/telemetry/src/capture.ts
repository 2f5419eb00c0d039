import { context, metrics, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  AggregationTemporality,
  type DataPoint,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { type Clock, systemClock } from '@starling/clock';
import { CorrelationSpanProcessor } from './correlation-span-processor.ts';
import { useLogOutput } from './log.ts';
import type { LogLine } from './log-line.ts';
import { propagator } from './propagation.ts';
import { forgetGlobals } from './start.ts';

/** One point of a metric: a counter's sum, or a histogram's `{count, sum}`. */
export interface CapturedMetric {
  readonly name: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly value: unknown;
}

/** What was traced, measured and logged since the start of the capture. Disposing it ends it. */
export interface CapturedTelemetry extends AsyncDisposable {
  /** Ended spans, in the order of their end. */
  readonly spans: readonly ReadableSpan[];
  readonly lines: readonly LogLine[];
  metrics(): Promise<readonly CapturedMetric[]>;
}

/**
 * Real tracing, metrics and log of this process, kept in memory, from `debug` on. One at a time.
 * @param options.clock stamps the log lines; spans have the machine's time
 */
export function captureTelemetry(
  options: { readonly service?: string; readonly clock?: Clock } = {},
): CapturedTelemetry {
  const { service = 'test', clock = systemClock } = options;
  const spanExporter = new InMemorySpanExporter();
  const tracerProvider = new TracerProvider({
    spanProcessors: [
      new CorrelationSpanProcessor(service),
      new SimpleSpanProcessor({ exporter: spanExporter }),
    ],
  });
  const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({
    exporter: metricExporter,
    exportIntervalMillis: 2 ** 31 - 1,
  });
  const meterProvider = new MeterProvider({ readers: [reader] });
  const registered = [
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()),
    propagation.setGlobalPropagator(propagator),
    trace.setGlobalTracerProvider(tracerProvider),
    metrics.setGlobalMeterProvider(meterProvider),
  ];
  if (registered.includes(false)) throw new Error('telemetry already runs in this process');
  const lines: LogLine[] = [];
  const output = useLogOutput({
    level: 'debug',
    clock,
    defaultRole: service,
    sinks: [(line) => lines.push(line)],
  });
  return {
    lines,
    get spans() {
      return spanExporter.getFinishedSpans();
    },
    async metrics() {
      metricExporter.reset();
      await meterProvider.forceFlush();
      return metricExporter.getMetrics().flatMap(({ scopeMetrics }) =>
        scopeMetrics.flatMap((scope) =>
          scope.metrics.flatMap(({ descriptor, dataPoints }) =>
            (dataPoints as DataPoint<unknown>[]).map(({ attributes, value }) => ({
              name: descriptor.name,
              attributes,
              value,
            })),
          ),
        ),
      );
    },
    async [Symbol.asyncDispose]() {
      output[Symbol.dispose]();
      await Promise.all([tracerProvider.shutdown(), meterProvider.shutdown()]);
      forgetGlobals();
    },
  };
}
