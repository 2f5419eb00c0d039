/**
 * Counts for `/metrics`, in Prometheus' text form
 * (prometheus.io/docs/instrumenting/exposition_formats). The same numbers go to OpenTelemetry; they are
 * kept here too because a page must show them without a collector. Labels come from closed sets, so
 * the maps are bounded.
 */
import {
  type CounterName,
  counter,
  counterMeanings,
  type GaugeName,
  gaugeMeanings,
  type HistogramName,
  histogram,
  histogramMeanings,
} from '@starling/telemetry';

type Labels = Readonly<Record<string, string>>;

/** Upper bounds of the histograms' buckets, milliseconds: from a cached answer to a queue that is full. */
const bucketsMs = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000];

interface Distribution {
  readonly counts: number[];
  sum: number;
  count: number;
}

export class Tally {
  readonly #counts = new Map<CounterName, Map<string, number>>();
  readonly #distributions = new Map<HistogramName, Distribution>();

  count(name: CounterName, labels: Labels): void {
    counter(name).add(1, labels);
    const key = Object.entries(labels)
      .map(([label, value]) => `${label}="${value}"`)
      .join(',');
    const counts = this.#counts.get(name) ?? new Map<string, number>();
    this.#counts.set(name, counts);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }

  observe(name: HistogramName, ms: number): void {
    histogram(name).record(ms);
    const distribution = this.#distributions.get(name) ?? {
      counts: bucketsMs.map(() => 0),
      sum: 0,
      count: 0,
    };
    this.#distributions.set(name, distribution);
    const bucket = bucketsMs.findIndex((bound) => ms <= bound);
    if (bucket >= 0) distribution.counts[bucket] = (distribution.counts[bucket] ?? 0) + 1;
    distribution.sum += ms;
    distribution.count += 1;
  }

  /** The page. @param gauges what stands at this moment */
  page(gauges: Readonly<Partial<Record<GaugeName, number>>>): string {
    const lines: string[] = [];
    for (const [name, counts] of this.#counts) {
      const metric = `${metricName(name)}_total`;
      lines.push(...head(metric, 'counter', counterMeanings[name].description));
      for (const [labels, value] of counts) lines.push(`${metric}{${labels}} ${value}`);
    }
    for (const [name, value] of Object.entries(gauges) as [GaugeName, number][]) {
      const metric = metricName(name);
      lines.push(...head(metric, 'gauge', gaugeMeanings[name].description), `${metric} ${value}`);
    }
    for (const [name, distribution] of this.#distributions) {
      const metric = `${metricName(name)}_milliseconds`;
      lines.push(...head(metric, 'histogram', histogramMeanings[name].description));
      lines.push(...distributionLines(metric, distribution));
    }
    return `${lines.join('\n')}\n`;
  }
}

/** `starling.ingress.requests` → `starling_ingress_requests`. */
function metricName(name: string): string {
  return name.replace(/[^a-zA-Z0-9]/g, '_');
}

function head(metric: string, type: string, help: string): readonly string[] {
  return [`# HELP ${metric} ${help}`, `# TYPE ${metric} ${type}`];
}

/** Prometheus' buckets are cumulative. */
function distributionLines(metric: string, { counts, sum, count }: Distribution): string[] {
  let below = 0;
  const buckets = bucketsMs.map((bound, index) => {
    below += counts[index] ?? 0;
    return `${metric}_bucket{le="${bound}"} ${below}`;
  });
  return [
    ...buckets,
    `${metric}_bucket{le="+Inf"} ${count}`,
    `${metric}_sum ${sum}`,
    `${metric}_count ${count}`,
  ];
}
