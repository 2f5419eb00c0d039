/** How evenly and how soon jobs come to workers, and whether slots survive aborts and kills. */
import type { Benchmark, Findings } from '../benchmark.ts';
import { balanceQueueWait } from './balance-queue-wait.ts';
import { balanceSlotLeaks } from './balance-slot-leaks.ts';
import { balanceSpread } from './balance-spread.ts';

export const balance: Benchmark = {
  name: 'balance',
  summary: 'spread over workers, queue wait against an ideal central queue, leaked slots',
  defaultSeconds: 360,
  async run(context): Promise<Findings> {
    const { loadMs } = context;
    return {
      rows: [
        ...(await balanceSpread(context, loadMs * 0.22)),
        ...(await balanceQueueWait(context, loadMs * 0.33)),
        ...(await balanceSlotLeaks(context, loadMs * 0.45)),
      ],
      facts: {},
    };
  },
};
