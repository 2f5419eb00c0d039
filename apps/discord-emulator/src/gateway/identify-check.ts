/** What is wrong with an IDENTIFY, before its lane is asked for. */
import type { WorldSpec } from '../core/world-spec.ts';
import type { ShardPlace } from '../faults/fault-schedule.ts';
import type { Identify } from './client-frames.ts';
import type { ServerCloseCode } from './close-codes.ts';
import { intentsProblem } from './intents.ts';

/** An IDENTIFY without a shard is shard 0 of 1. */
export function placeOf(identify: Identify): ShardPlace {
  const [shardId, shardCount] = identify.shard ?? [0, 1];
  return { shardId, shardCount };
}

/** @returns the close code that it deserves, if any */
export function identifyProblem(
  identify: Identify,
  facts: {
    readonly acceptsToken: (token: string) => boolean;
    readonly spec: WorldSpec;
    readonly maxGuildsPerShard: number;
  },
): ServerCloseCode | undefined {
  if (!facts.acceptsToken(identify.token)) return 4004;
  const { shardId, shardCount } = placeOf(identify);
  if (shardCount < 1 || shardId < 0 || shardId >= shardCount) return 4010;
  // Consecutive guilds fall on consecutive shards: the fullest shard has the share rounded up.
  if (Math.ceil(facts.spec.guilds / shardCount) > facts.maxGuildsPerShard) return 4011;
  return intentsProblem(identify.intents, facts.spec);
}
