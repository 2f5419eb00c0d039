/**
 * A worker's health as one number in (0, 1], from its own reports and always relative to the fleet:
 * when every worker is slow or failing the provider is, and then nobody is worse than another. A score
 * shrinks the slots that a worker is given, so that a sick one is probed by a job at a time.
 */

/** What a report tells of a worker's health. */
export interface HealthSigns {
  /** Share of recent jobs that failed, 0 to 1. */
  readonly errorRate: number;
  /** Recent time to the first token, milliseconds; `undefined` when nothing ran lately. */
  readonly firstTokenMs: number | undefined;
}

/** Slower than this many times the median counts as sick; service times of this field vary by 2. */
const tolerance = 2;
/** A score never falls below this: somebody must find out that the worker is well again. */
const leastScore = 0.02;

/** What is usual in the fleet, to judge one worker by. */
export interface FleetNorm {
  readonly errorRate: number;
  readonly firstTokenMs: number | undefined;
}

/** The medians of the fleet's signs; workers that ran nothing lately have no say on time. */
export function fleetNorm(signs: Iterable<HealthSigns>): FleetNorm {
  const errorRates: number[] = [];
  const times: number[] = [];
  for (const { errorRate, firstTokenMs } of signs) {
    errorRates.push(errorRate);
    if (firstTokenMs !== undefined) times.push(firstTokenMs);
  }
  return { errorRate: lowerMedian(errorRates) ?? 0, firstTokenMs: lowerMedian(times) };
}

/** The lower of the two middles: of two workers the quicker one is what is usual. */
function lowerMedian(values: number[]): number | undefined {
  values.sort((a, b) => a - b);
  return values[(values.length - 1) >> 1];
}

/**
 * 1 for a worker as good as the fleet; at ten times the usual latency 0.04, at half of its jobs failing
 * (where the fleet's do not) 0.25.
 */
export function healthScore(signs: HealthSigns, norm: FleetNorm): number {
  const failing = Math.max(0, signs.errorRate - norm.errorRate);
  let score = (1 - failing) ** 2;
  if (signs.firstTokenMs !== undefined && norm.firstTokenMs !== undefined) {
    const slowness = signs.firstTokenMs / Math.max(1, norm.firstTokenMs);
    if (slowness > tolerance) score *= (tolerance / slowness) ** 2;
  }
  return Math.max(leastScore, score);
}
