/** What goes wrong in a run, and when: data, drawn from the seed before the run begins. */
import type { Random } from '@starling/clock';
import type { Weather } from './bus.ts';

/** One fault. Times are milliseconds after the start of the run. */
export type Fault = { readonly atMs: number; readonly lastsMs: number } & (
  | { readonly kind: 'weather'; readonly weather: Weather }
  | { readonly kind: 'lost_replies'; readonly share: number }
  | { readonly kind: 'restart_bus' }
  | { readonly kind: 'slow_store'; readonly serviceMs: number }
  | {
      readonly kind: 'pause' | 'kill' | 'cut';
      readonly role: 'worker' | 'balancer' | 'child';
      readonly index: number;
    }
);

/** The time in which faults begin, and how many of each there are. */
export interface Storm {
  readonly fromMs: number;
  readonly toMs: number;
}

const counts = {
  weather: 4,
  lost_replies: 2,
  restart_bus: 1,
  slow_store: 2,
  pause: 4,
  kill: 5,
  cut: 4,
} as const;
const roles = ['worker', 'worker', 'balancer', 'child'] as const;

/** Draws a plan. */
export function drawFaults(random: Random, { fromMs, toMs }: Storm): readonly Fault[] {
  const when = (longestMs: number) => ({
    atMs: fromMs + random.next() * (toMs - fromMs),
    lastsMs: 200 + random.next() ** 2 * longestMs,
  });
  const faults: Fault[] = [];
  for (let n = 0; n < counts.weather; n += 1) {
    faults.push({ kind: 'weather', ...when(6_000), weather: drawWeather(random) });
  }
  for (let n = 0; n < counts.lost_replies; n += 1) {
    faults.push({ kind: 'lost_replies', ...when(8_000), share: random.next() * 0.5 });
  }
  // A server that is down longer than a claim is silent: the silence clock must stand still.
  for (let n = 0; n < counts.restart_bus; n += 1) {
    faults.push({ kind: 'restart_bus', ...when(5_000) });
  }
  for (let n = 0; n < counts.slow_store; n += 1) {
    faults.push({ kind: 'slow_store', ...when(6_000), serviceMs: 1 + random.next() * 9 });
  }
  for (const kind of ['pause', 'kill', 'cut'] as const) {
    for (let n = 0; n < counts[kind]; n += 1) {
      const role = roles[random.integer(roles.length)] ?? 'worker';
      faults.push({
        kind,
        ...when(kind === 'kill' ? 2_500 : 9_000),
        role,
        index: random.integer(8),
      });
    }
  }
  return faults.sort((a, b) => a.atMs - b.atMs);
}

function drawWeather(random: Random): Weather {
  return {
    lossShare: random.next() ** 2 * 0.3,
    duplicateShare: random.next() ** 2 * 0.3,
    lateShare: random.next() ** 2 * 0.3,
    lateMs: 50 + random.next() ** 2 * 1_500,
    reordering: random.next() < 0.5,
  };
}
