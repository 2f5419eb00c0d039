import {
  type Attributes,
  type Counter,
  type Gauge,
  type Histogram,
  metrics,
} from '@opentelemetry/api';
import {
  type CounterName,
  counterMeanings,
  type GaugeName,
  gaugeMeanings,
  type HistogramName,
  histogramMeanings,
} from './names.ts';

/** Name of our tracer and meter. */
export const scopeName = 'starling';

/** Instruments of one meter provider; a new provider (a restart of telemetry) starts anew. */
interface Instruments {
  readonly provider: object;
  readonly counters: Map<CounterName, Counter>;
  readonly gauges: Map<GaugeName, Gauge>;
  readonly histograms: Map<HistogramName, Histogram>;
}

let instruments: Instruments | undefined;

/** OpenTelemetry hands out dead instruments before it is started, so they are looked up at each use. */
function current(): Instruments {
  const provider = metrics.getMeterProvider();
  if (instruments?.provider !== provider) {
    instruments = { provider, counters: new Map(), gauges: new Map(), histograms: new Map() };
  }
  return instruments;
}

/** A counter of the list in `names.ts`; may be made before telemetry starts. */
export function counter(name: CounterName): {
  add(value: number, attributes?: Attributes): void;
} {
  return {
    add(value, attributes) {
      const { counters } = current();
      let instrument = counters.get(name);
      if (!instrument) {
        instrument = metrics.getMeter(scopeName).createCounter(name, counterMeanings[name]);
        counters.set(name, instrument);
      }
      instrument.add(value, attributes);
    },
  };
}

/** A gauge of the list in `names.ts`; may be made before telemetry starts. */
export function gauge(name: GaugeName): {
  record(value: number, attributes?: Attributes): void;
} {
  return {
    record(value, attributes) {
      const { gauges } = current();
      let instrument = gauges.get(name);
      if (!instrument) {
        instrument = metrics.getMeter(scopeName).createGauge(name, gaugeMeanings[name]);
        gauges.set(name, instrument);
      }
      instrument.record(value, attributes);
    },
  };
}

/** A histogram of the list in `names.ts`; may be made before telemetry starts. */
export function histogram(name: HistogramName): {
  record(value: number, attributes?: Attributes): void;
} {
  return {
    record(value, attributes) {
      const { histograms } = current();
      let instrument = histograms.get(name);
      if (!instrument) {
        instrument = metrics.getMeter(scopeName).createHistogram(name, histogramMeanings[name]);
        histograms.set(name, instrument);
      }
      instrument.record(value, attributes);
    },
  };
}
