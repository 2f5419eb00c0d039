/** Whether limits that a fleet shares are kept and used, and what they cost, also while Redis is away. */
import type { Benchmark, Findings } from '../../benchmark.ts';
import { boundaryBurst } from './boundary-burst.ts';
import { reservePace } from './reserve-pace.ts';
import { sharedLimit } from './shared-limit.ts';
import { simulatedLimit } from './simulated-limit.ts';
import { stoppedRedis } from './stopped-redis.ts';

export const limits: Benchmark = {
  name: 'limits',
  summary: 'overshoot and use of a limit that eight processes share, bursts, reserves a second',
  defaultSeconds: 240,
  async run(context): Promise<Findings> {
    const { loadMs, say } = context;
    say('ten simulated minutes');
    return {
      rows: [
        ...(await simulatedLimit()),
        ...(await boundaryBurst()),
        ...(await reservePace(context, loadMs * 0.05)),
        ...(await stoppedRedis(context, loadMs * 0.15)),
        ...(await sharedLimit(context, loadMs * 0.8)),
      ],
      facts: {},
    };
  },
};
