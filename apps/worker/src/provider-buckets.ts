import { createSharedBuckets, type SharedBuckets } from '@starling/buckets';
import type { Clock } from '@starling/clock';
import { type Environment, parseConfig, redisSection } from '@starling/config';
import type { WorkerId } from '@starling/contracts';
import { connectRedis } from '@starling/redis';

/** The limits that all workers share, in Redis; ended with the stack, the connection after them. */
export async function openProviderBuckets(
  stack: AsyncDisposableStack,
  parts: {
    readonly environment: Environment;
    readonly clock: Clock;
    readonly workerId: WorkerId;
    readonly connectTimeoutMs: number;
    readonly signal: AbortSignal;
  },
): Promise<SharedBuckets> {
  const { clock, connectTimeoutMs, environment, signal, workerId } = parts;
  const settings = parseConfig(redisSection, environment);
  const redis = stack.use(await connectRedis({ ...settings, connectTimeoutMs, clock, signal }));
  return stack.use(
    await createSharedBuckets({
      ...{ redis, clock, group: 'worker', processId: workerId },
      giveUpMs: settings.commandTimeoutMs,
    }),
  );
}
