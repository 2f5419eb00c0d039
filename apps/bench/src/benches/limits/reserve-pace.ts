/** Reserve and settle over two buckets against a real Redis, from one process. */
import { type Buckets, createRedisBuckets } from '@starling/buckets';
import { type Clock, systemClock } from '@starling/clock';
import { startRedisServer } from '@starling/harness';
import { connectRedis, type RedisConnection } from '@starling/redis';
import type { BenchContext } from '../../benchmark.ts';
import { type Row, row } from '../../report/row.ts';

const atOnce = 128;
const warmUpMs = 500;
const timeouts = { commandTimeoutMs: 5_000, connectTimeoutMs: 10_000 };

/** Pairs a second for each way of writing the append-only file, and what a pair costs this process. */
export async function reservePace(context: BenchContext, loadMs: number): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const fsync of ['always', 'everysec'] as const) {
    context.say(`reserve and settle, appendfsync ${fsync}`);
    await using stack = new AsyncDisposableStack();
    const server = await startRedisServer({ fsync });
    stack.defer(() => server.stop());
    const redis = stack.use(
      await connectRedis({ ...timeouts, url: server.url, clock: systemClock }),
    );
    const counted = countingCommands(redis);
    const buckets = createRedisBuckets({
      ...{ redis: counted.redis, clock: systemClock, giveUpMs: timeouts.commandTimeoutMs },
    });
    await pairsIn(warmUpMs, buckets, context.clock);
    counted.reset();
    const cpuBefore = process.cpuUsage();
    const lastingMs = Math.max(500, loadMs / 2);
    const { pairs, tookMs } = await pairsIn(lastingMs, buckets, context.clock);
    const { system, user } = process.cpuUsage(cpuBefore);
    rows.push(
      row({
        id: `limits.pairs-${fsync}`,
        what: `reserve and settle over two buckets, ${atOnce} at once, appendfsync ${fsync}`,
        value: pairs / (tookMs / 1_000),
        unit: 'pairs/s',
        limit: { min: 10_000 },
        kind: 'speed',
      }),
      row({
        id: `limits.cpu-${fsync}`,
        what: 'CPU of the calling process for such a pair',
        value: (system + user) / pairs,
        unit: 'µs',
        kind: 'speed',
      }),
    );
    if (fsync === 'always') {
      rows.push(
        row({
          id: 'limits.round-trips',
          what: 'commands before a call may go on; the settle comes after its end',
          value: counted.count() / pairs / 2,
          unit: 'commands',
          limit: { max: 1 },
          kind: 'promise',
        }),
      );
    }
  }
  return rows;
}

async function pairsIn(lastingMs: number, buckets: Buckets, clock: Clock) {
  const beganAtMs = clock.monotonicMs();
  const endsAtMs = beganAtMs + lastingMs;
  const limit = { kind: 'window', permits: 1_000_000_000, windowMs: 60_000 } as const;
  let pairs = 0;
  const caller = async (n: number) => {
    for (let call = 0; clock.monotonicMs() < endsAtMs; call += 1) {
      const id = `${beganAtMs}-${n}-${call}`;
      const asked = [
        { key: 'pace:requests', limit, amount: 1 },
        { key: 'pace:tokens', limit, amount: 900 },
      ];
      await buckets.reserve({ id, holdMs: 15_000, asked });
      await buckets.settle(id, asked);
      pairs += 1;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, (_, n) => caller(n)));
  return { pairs, tookMs: clock.monotonicMs() - beganAtMs };
}

function countingCommands(inner: RedisConnection) {
  let commands = 0;
  const redis: RedisConnection = {
    get state() {
      return inner.state;
    },
    command(name, ...args) {
      commands += 1;
      return inner.command(name, ...args);
    },
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  };
  return {
    redis,
    count: () => commands,
    reset: () => {
      commands = 0;
    },
  };
}
