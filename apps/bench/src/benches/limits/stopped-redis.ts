/** A Redis that answers nothing while a hundred calls a second ask: how long a decision takes, and what is let through. */
import { createSharedBuckets, type SharedBuckets } from '@starling/buckets';
import { type Clock, systemClock } from '@starling/clock';
import { startRedisServer } from '@starling/harness';
import { connectRedis } from '@starling/redis';
import type { BenchContext } from '../../benchmark.ts';
import { type Row, row } from '../../report/row.ts';
import { percentile } from '../../stats/percentile.ts';
import { fullestWindow } from '../../stats/window-use.ts';

const commandTimeoutMs = 200;
const perSecond = 100;
/** Asked for faster than it allows, by several processes. */
const limit = { kind: 'window', permits: 1_000, windowMs: 60_000 } as const;
const holders = 4;
/** Before the stop and after it. */
const besideMs = 3_000;
const longestStopMs = 30_000;

export async function stoppedRedis(context: BenchContext, loadMs: number): Promise<readonly Row[]> {
  const { say, signal } = context;
  const stopMs = Math.min(longestStopMs, Math.max(1_000, loadMs - 2 * besideMs));
  say(`Redis stopped for ${stopMs} ms under ${perSecond} calls a second`);
  await using stack = new AsyncDisposableStack();
  const server = await startRedisServer();
  stack.defer(() => server.stop());
  const open = async (n: number): Promise<SharedBuckets> => {
    const timeouts = { commandTimeoutMs, connectTimeoutMs: 10_000 };
    const clock = systemClock;
    const redis = stack.use(await connectRedis({ ...timeouts, url: server.url, clock }));
    const named = { group: 'stopped', processId: `holder-${n}`, giveUpMs: commandTimeoutMs };
    return stack.use(await createSharedBuckets({ redis, clock, ...named }));
  };
  const buckets = await Promise.all(Array.from({ length: holders }, (_, n) => open(n)));
  const asking = ask(buckets, systemClock, 2 * besideMs + stopMs);
  await systemClock.sleep(besideMs, { signal });
  process.kill(server.pid, 'SIGSTOP');
  try {
    await systemClock.sleep(stopMs, { signal });
  } finally {
    process.kill(server.pid, 'SIGCONT');
  }
  const { charges, tookMs } = await asking;
  const overMs = systemClock.monotonicMs() + besideMs;
  while (buckets.some(({ state }) => state === 'degraded') && systemClock.monotonicMs() < overMs) {
    await systemClock.sleep(50);
  }
  const back = buckets.filter(({ state }) => state !== 'degraded').length;
  const what = `${tookMs.length} calls, Redis stopped for ${stopMs} ms`;
  return [
    row({
      id: 'limits.stopped-decision',
      what: `time to a decision, p99, ${what}`,
      value: percentile(tookMs, 99),
      unit: 'ms',
      limit: { max: 250 },
      kind: 'speed',
    }),
    row({
      id: 'limits.stopped-overshoot',
      what: `let through beyond ${limit.permits} in any minute by ${holders} that share it, the stop included`,
      value: Math.max(0, fullestWindow(charges, limit.windowMs) - limit.permits),
      unit: 'calls',
      limit: { max: 0 },
      kind: 'promise',
    }),
    row({
      id: 'limits.stopped-back',
      what: `of ${holders} that were shared again within ${besideMs} ms`,
      value: back,
      unit: 'processes',
      limit: { min: holders },
      kind: 'promise',
    }),
  ];
}

/** Asks at an even pace, whatever the answers take. */
async function ask(buckets: readonly SharedBuckets[], clock: Clock, lastingMs: number) {
  const beganAtMs = clock.monotonicMs();
  const charges: { atMs: number; amount: number }[] = [];
  const tookMs: number[] = [];
  const calls: Promise<void>[] = [];
  for (let n = 0; n * (1_000 / perSecond) < lastingMs; n += 1) {
    const dueMs = beganAtMs + n * (1_000 / perSecond);
    await clock.sleep(Math.max(0, dueMs - clock.monotonicMs()));
    const asked = [{ key: 'stopped', limit, amount: 1 }];
    const id = `call-${n}`;
    const one = async () => {
      const askedAtMs = clock.monotonicMs();
      const holder = buckets[n % buckets.length];
      const word = await holder?.reserve({ id, holdMs: 120_000, asked });
      tookMs.push(clock.monotonicMs() - askedAtMs);
      if (word?.kind === 'reserved') charges.push({ atMs: clock.monotonicMs(), amount: 1 });
    };
    calls.push(one());
  }
  await Promise.all(calls);
  return { charges, tookMs };
}
