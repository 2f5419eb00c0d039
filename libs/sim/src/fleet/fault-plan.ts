/** What goes wrong in a run, and when: data, drawn from the seed before the run begins. */
import type { Random } from '@starling/clock';
import type { Weather } from './bus.ts';

/** One fault. Times are milliseconds after the start of the run. */
export type Fault = { readonly atMs: number; readonly lastsMs: number } & (
  | { readonly kind: 'weather'; readonly weather: Weather }
  | { readonly kind: 'lost_replies'; readonly share: number }
  | { readonly kind: 'restart_bus' }
  | { readonly kind: 'slow_store'; readonly serviceMs: number }
  | { readonly kind: 'full_store'; readonly capacity: number }
  | { readonly kind: 'removers_die' }
  | {
      readonly kind: 'clock';
      readonly role: Role;
      readonly index: number;
      readonly aheadMs: number;
      readonly thenMs: number;
    }
  | {
      readonly kind: 'pause' | 'kill' | 'cut' | 'drain';
      readonly role: Role;
      readonly index: number;
    }
);

type Role = 'worker' | 'balancer' | 'child';

/** Clocks are that far ahead or behind at most: two of them are no more than 2 s apart. */
const mostAheadMs = 1_000;

/** How far a host's clock is ahead of the true time, milliseconds. */
export function drawClock(random: Random): number {
  return (2 * random.next() - 1) * mostAheadMs;
}

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
  full_store: 2,
  removers_die: 2,
  clock: 2,
  drain: 3,
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
  for (let n = 0; n < counts.full_store; n += 1) {
    faults.push({ kind: 'full_store', ...when(4_000), capacity: random.integer(20) });
  }
  for (let n = 0; n < counts.removers_die; n += 1) {
    faults.push({ kind: 'removers_die', ...when(1_000) });
  }
  const whom = () => ({
    role: roles[random.integer(roles.length)] ?? 'worker',
    index: random.integer(8),
  });
  for (let n = 0; n < counts.clock; n += 1) {
    faults.push({
      kind: 'clock',
      ...when(2_500),
      ...whom(),
      aheadMs: wrong(random),
      thenMs: -wrong(random),
    });
  }
  for (const kind of ['pause', 'kill', 'cut', 'drain'] as const) {
    for (let n = 0; n < counts[kind]; n += 1) {
      faults.push({ kind, ...when(kind === 'kill' ? 2_500 : 9_000), ...whom() });
    }
  }
  return faults.sort((a, b) => a.atMs - b.atMs);
}

/** Wrong enough to matter. */
function wrong(random: Random): number {
  return (0.6 + 0.4 * random.next()) * mostAheadMs;
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
