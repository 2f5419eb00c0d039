import type { GatewayInfo } from '@starling/discord';

/** A cluster of shards: one child process, one discord.js Client. */
export interface PlannedCluster {
  /** 0, 1, 2 …; its id in the fleet is `c0`, `c1`, … */
  readonly number: number;
  readonly shards: readonly number[];
}

export interface ShardPlan {
  readonly shardCount: number;
  readonly clusters: readonly PlannedCluster[];
}

/** Discord would not let so many sessions begin now. */
export class SessionLimitError extends Error {
  override readonly name = 'SessionLimitError';
}

/**
 * Which shards there are and who holds them.
 * @param settings.shards `auto`, or a number
 * @throws {SessionLimitError} when fewer IDENTIFYs are left today than shards: beginning would spend
 * them all and end in a token reset (discord.com/developers/docs/events/gateway#session-start-limit-object)
 */
export function planClusters(
  settings: { readonly shards: string; readonly shardsPerCluster: number },
  info: GatewayInfo,
): ShardPlan {
  const shardCount = settings.shards === 'auto' ? info.shards : Number(settings.shards);
  if (info.remaining < shardCount) {
    const minutes = Math.ceil(info.resetAfterMs / 60_000);
    throw new SessionLimitError(
      `Discord allows ${info.remaining} more session starts and ${shardCount} are needed; they are renewed in ${minutes} minutes`,
    );
  }
  const clusters: PlannedCluster[] = [];
  for (let first = 0; first < shardCount; first += settings.shardsPerCluster) {
    const length = Math.min(settings.shardsPerCluster, shardCount - first);
    const shards = Array.from({ length }, (_, index) => first + index);
    clusters.push({ number: clusters.length, shards });
  }
  return { shardCount, clusters };
}
