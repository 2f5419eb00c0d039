/** Who always asks: how much a limit of 100 in 2 s lets through in the worst 2 s. */
import { type BucketLimit, createMemoryBuckets } from '@starling/buckets';
import { SimulatedClock } from '@starling/clock';
import { type Row, row } from '../../report/row.ts';
import { fullestWindow } from '../../stats/window-use.ts';

const permits = 100;
const spanMs = 2_000;
const burst = 10;

export async function boundaryBurst(): Promise<readonly Row[]> {
  return [
    row({
      id: 'limits.boundary-window',
      what: `let through in any 2 s by a window of ${permits} in 2 s`,
      value: await worst({ kind: 'window', permits, windowMs: spanMs }),
      unit: 'calls',
      limit: { max: permits },
      kind: 'promise',
    }),
    row({
      id: 'limits.boundary-rate',
      what: `the same by a rate of ${permits} in 2 s with a burst of ${burst}`,
      value: await worst({ kind: 'rate', permits, perMs: spanMs, burst }),
      unit: 'calls',
      limit: { max: permits + burst },
      kind: 'promise',
    }),
  ];
}

async function worst(limit: BucketLimit): Promise<number> {
  const clock = new SimulatedClock();
  const buckets = createMemoryBuckets({ clock });
  const charges: { atMs: number; amount: number }[] = [];
  const asked = [{ key: 'burst', limit, amount: 1, spent: true }];
  for (let step = 0; step < 5_000; step += 1) {
    while ((await buckets.reserve({ id: 'one', holdMs: 0, asked })).kind === 'reserved') {
      charges.push({ atMs: clock.nowMs(), amount: 1 });
    }
    await clock.advance(2);
  }
  return fullestWindow(charges, spanMs);
}
