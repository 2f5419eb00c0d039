import { startHaproxy } from '../baselines/haproxy.ts';
import { joinCalls } from '../baselines/join-calls.ts';
import type { Target } from '../baselines/target.ts';
import type { BenchContext } from '../benchmark.ts';
import { startFleet } from '../fleet/fleet.ts';
import { type Row, row } from '../report/row.ts';
import { interleave } from '../rounds/interleave.ts';
import { measure, warmUp, warmUpOf } from '../rounds/measure.ts';
import { centralQueueWaits } from '../stats/central-queue.ts';
import { median } from '../stats/median.ts';
import { percentile } from '../stats/percentile.ts';
import { lognormalServiceTimes } from '../stats/service-times.ts';
import { benchModels, timed } from './models.ts';

const size = { balancers: 3, workers: 8, slots: 4 };
const meanServiceMs = 80;
const sigma = 1.1;
const load = 0.9;
const slots = size.workers * size.slots;
const perSecond = (load * slots * 1000) / meanServiceMs;
/** Of the time under load; so many processes share the calls that each of them warms up slowly. */
const warmUpShare = 0.4;
/** More than any run here makes: the record is read whole. */
const maxRequests = 30_000;

/** The waits of one run, and those of the ideal on the same arrivals and service times; milliseconds. */
interface Waits {
  readonly waits: readonly number[];
  readonly ideal: readonly number[];
  readonly failed: number;
}

/**
 * How long jobs wait from when they were due until the provider has them, against one queue without
 * hops replayed on the recorded arrivals and service times; and HAProxy with as many slots beside it.
 */
export async function balanceQueueWait(
  context: BenchContext,
  loadMs: number,
): Promise<readonly Row[]> {
  await using stack = new AsyncDisposableStack();
  const { provider, rounds, say } = context;
  await provider.setModels(benchModels);
  const fleet = stack.use(await startFleet(provider, size, context));
  const haproxy = await startHaproxy(provider, { backends: size.workers, slots: size.slots }).catch(
    (error: unknown) => say(`✖ no haproxy here: ${error instanceof Error ? error.message : error}`),
  );
  if (haproxy) stack.use(haproxy);
  const targets = new Map(
    [fleet.target, ...(haproxy ? [haproxy] : [])].map((one) => [one.name, one]),
  );

  say(`queue wait at ${load * 100} % load: ${perSecond} jobs a second over ${slots} slots`);
  await warmUp(context, [...targets.values()], {
    body: { model: timed.name, stream: false },
    pace: { kind: 'open', arrivals: { kind: 'poisson', perSecond: perSecond / 2, seed: 1 } },
    answerTokens: serviceTimes(1),
    runMs: (loadMs * warmUpShare) / targets.size,
  });
  const runMs = (loadMs * (1 - warmUpShare)) / rounds / targets.size;
  const found = await interleave([...targets.keys()], rounds, async (name, round) => {
    const target = targets.get(name);
    if (!target) throw new Error(`there is no target ${name}`);
    const one = await waitsOf(context, target, { runMs, seed: round + 1 });
    const [real, ideal] = [percentile(one.waits, 99), percentile(one.ideal, 99)];
    say(
      `  round ${round + 1} ${name}: p99 ${real?.toFixed(0)} ms, ideal ${ideal?.toFixed(0)} ms, ${one.waits.length} jobs, ${one.failed} failed`,
    );
    return one;
  });
  return [...targets.keys()].flatMap((name) => waitRows(name, found[name] ?? []));
}

async function waitsOf(
  context: BenchContext,
  target: Target,
  { runMs, seed }: { readonly runMs: number; readonly seed: number },
): Promise<Waits> {
  const { provider } = context;
  await provider.resetRecord();
  const { result } = await measure(context, target, {
    body: { model: timed.name, stream: false },
    pace: { kind: 'open', arrivals: { kind: 'poisson', perSecond, seed } },
    ...warmUpOf(runMs),
    answerTokens: serviceTimes(seed),
    maxTraces: maxRequests,
  });
  const { requests, forgotten } = await provider.record(maxRequests);
  if (forgotten > 0) throw new Error(`the provider's record lost ${forgotten} requests`);
  const served = joinCalls(result.traces, requests, timed.name).flatMap(
    ({ call, requests: tries }) => {
      const [first] = tries;
      return call.ending === 'whole' && first?.endMs !== undefined
        ? [{ arrivedMs: call.dueAtMs, startedMs: first.startedAtMs, serviceMs: first.endMs }]
        : [];
    },
  );
  return {
    // The provider tells whole milliseconds: a wait may come out a part of one too short.
    waits: served.map(({ arrivedMs, startedMs }) => Math.max(0, startedMs - arrivedMs)),
    ideal: centralQueueWaits(served, slots),
    failed: result.failed + result.notSent,
  };
}

function serviceTimes(seed: number) {
  return lognormalServiceTimes({ meanMs: meanServiceMs, sigma, count: 5_000, seed });
}

function waitRows(target: string, rounds: readonly Waits[]): Row[] {
  const isFleet = target === 'fleet';
  const middle = (of: (waits: Waits) => number | undefined) =>
    median(rounds.flatMap((waits) => of(waits) ?? []));
  const jobs = rounds.reduce((sum, { waits }) => sum + waits.length, 0);
  const shape = `${size.workers} workers × ${size.slots} slots, mean ${meanServiceMs} ms, ${load * 100} % load, ${jobs} jobs`;
  return [
    row({
      id: `balance.wait-above-ideal.${target}`,
      what: `queue wait p99 less that of an ideal central queue on the same jobs: ${target}, ${isFleet ? `${size.balancers} balancers, ` : ''}${shape}`,
      value: middle(({ waits, ideal }) => {
        const [real, best] = [percentile(waits, 99), percentile(ideal, 99)];
        return real === undefined || best === undefined ? undefined : real - best;
      }),
      unit: 'ms',
      ...(isFleet && { limit: { max: 15 } }),
      kind: 'speed',
    }),
    row({
      id: `balance.wait-p99.${target}`,
      what: `queue wait p99, ${target}`,
      value: middle(({ waits }) => percentile(waits, 99)),
      unit: 'ms',
      kind: 'speed',
    }),
    ...(isFleet
      ? [
          row({
            id: 'balance.wait-failed',
            what: `jobs refused or not answered at ${load * 100} % load`,
            value: rounds.reduce((sum, { failed }) => sum + failed, 0),
            unit: 'jobs',
            limit: { max: 0 },
            kind: 'promise',
          }),
        ]
      : []),
  ];
}
