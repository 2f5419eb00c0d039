import { type Buckets, createSharedBuckets, createSlicedBuckets } from '@starling/buckets';
import type { Clock } from '@starling/clock';
import { type Environment, parseConfig, redisSection } from '@starling/config';
import type { IngressId } from '@starling/contracts';
import { connectRedis } from '@starling/redis';

/** The rates of callers, which every ingress shares in Redis; ended with the stack, the connection after them. */
export async function openCallerBuckets(
  stack: AsyncDisposableStack,
  parts: {
    readonly environment: Environment;
    readonly clock: Clock;
    readonly ingressId: IngressId;
    readonly connectTimeoutMs: number;
  },
): Promise<Buckets> {
  const { clock, connectTimeoutMs, environment, ingressId } = parts;
  const settings = parseConfig(redisSection, environment);
  const redis = stack.use(await connectRedis({ ...settings, connectTimeoutMs, clock }));
  const inner = stack.use(
    await createSharedBuckets({
      ...{ redis, clock, group: 'ingress', processId: ingressId },
      giveUpMs: settings.commandTimeoutMs,
    }),
  );
  // A key that asks often costs a round trip a second, not one a request.
  return stack.use(createSlicedBuckets({ inner, clock, holder: ingressId }));
}
