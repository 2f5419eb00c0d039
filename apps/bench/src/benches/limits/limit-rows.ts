import { type Row, row } from '../../report/row.ts';
import { type Charge, fullestWindow, meanWindow } from '../../stats/window-use.ts';

/** One call as the provider knows it. */
export interface CountedCall {
  readonly startMs: number;
  readonly endMs: number;
  readonly tokens: number;
}

/** Overshoot and use of a limit by these calls, counted at their beginning, at their end and in between. */
export function limitRows(
  calls: readonly CountedCall[],
  of: {
    readonly id: string;
    readonly what: string;
    readonly permits: number;
    readonly windowMs: number;
    /** When the callers began and ended. */
    readonly fromMs: number;
    readonly toMs: number;
  },
): readonly Row[] {
  const { fromMs, id, permits, toMs, what, windowMs } = of;
  const charged = (at: (call: CountedCall) => number): readonly Charge[] =>
    calls.map((call) => ({ atMs: at(call), amount: call.tokens }));
  const byEnd = charged(({ endMs }) => endMs);
  const fullest = Math.max(
    fullestWindow(byEnd, windowMs),
    fullestWindow(
      charged(({ startMs }) => startMs),
      windowMs,
    ),
    fullestWindow(
      charged(({ endMs, startMs }) => (startMs + endMs) / 2),
      windowMs,
    ),
  );
  // The first window fills; the last calls are still under way.
  const mean = meanWindow(byEnd, { windowMs, fromMs: fromMs + windowMs, toMs });
  return [
    row({
      id: `limits.${id}-overshoot`,
      what: `most above the limit in any window, ${what}`,
      value: calls.length === 0 ? undefined : Math.max(0, (100 * (fullest - permits)) / permits),
      unit: '%',
      limit: { max: 0 },
      kind: 'promise',
    }),
    row({
      id: `limits.${id}-use`,
      what: `mean of all windows against the limit, ${calls.length} calls`,
      value: (100 * mean) / permits,
      unit: '%',
      limit: { min: 95 },
      kind: 'speed',
    }),
  ];
}
