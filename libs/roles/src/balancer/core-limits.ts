import { type CoreLimits, defaultCoreLimits } from '@starling/balance';
import type { BalancerConfig } from './balancer-parts.ts';

/** Replays, retries and what a restarted Redis has forgotten may come on top of what was admitted. */
const overAdmission = 2;

/** The core's limits: what bots admit under these settings no balancer refuses. */
export function coreLimitsOf({
  callKeptMs,
  jobsPerGuild,
  jobsPerUser,
}: Pick<BalancerConfig, 'callKeptMs' | 'jobsPerGuild' | 'jobsPerUser'>): CoreLimits {
  const { queue } = defaultCoreLimits;
  return {
    ...defaultCoreLimits,
    callKeptMs,
    queue: {
      ...queue,
      perUser: Math.max(queue.perUser, overAdmission * jobsPerUser),
      perGuild: Math.max(queue.perGuild, overAdmission * jobsPerGuild),
    },
  };
}
