import type { Samples } from '../rounds/compare.ts';
import type { Sample } from '../rounds/measure.ts';
import { median } from '../stats/median.ts';

/** For each comparison and target the medians over the rounds: percentiles, CPU, failures. */
export function benchmarkFacts(
  comparisons: Readonly<Record<string, Samples>>,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(comparisons).map(([name, samples]) => [
      name,
      Object.fromEntries(
        Object.entries(samples).map(([target, each]) => [target, targetFacts(each)]),
      ),
    ]),
  );
}

function targetFacts(samples: readonly Sample[]): Readonly<Record<string, unknown>> {
  const middle = (of: (sample: Sample) => number | undefined) => {
    const value = median(samples.flatMap((sample) => of(sample) ?? []));
    return value === undefined ? null : Number(value.toPrecision(4));
  };
  const processes = new Set(samples.flatMap(({ cpuPerThousand }) => Object.keys(cpuPerThousand)));
  return {
    perSecond: middle(({ result }) => result.perSecond),
    latencyP50Ms: middle(({ result }) => result.latency.percentile(50)),
    latencyP99Ms: middle(({ result }) => result.latency.percentile(99)),
    firstTokenP50Ms: middle(({ result }) => result.firstToken.percentile(50)),
    firstTokenP99Ms: middle(({ result }) => result.firstToken.percentile(99)),
    sentLateP99Ms: middle(({ result }) => result.lateness.percentile(99)),
    failed: samples.reduce((sum, { result }) => sum + result.failed + result.notSent, 0),
    cpuSecondsPerThousand: Object.fromEntries(
      [...processes].map((name) => [name, middle(({ cpuPerThousand }) => cpuPerThousand[name])]),
    ),
  };
}
