/** How soon a caller's leaving reaches the provider, judged by the provider's own record. */
import { joinCalls } from '../baselines/join-calls.ts';
import { startBaselines } from '../baselines/start-baselines.ts';
import type { Target } from '../baselines/target.ts';
import type { BenchContext, Benchmark, Findings } from '../benchmark.ts';
import { startFleet } from '../fleet/fleet.ts';
import { type Row, row } from '../report/row.ts';
import { interleave } from '../rounds/interleave.ts';
import { measure, warmUpOf } from '../rounds/measure.ts';
import { percentile } from '../stats/percentile.ts';
import { benchModels, talker } from './models.ts';

const size = { balancers: 2, workers: 2, slots: 32 };
const streamsPerSecond = 40;
/** After the first token, which comes after 50 ms, or after the sending: always before the answer's end at 3 s. */
const abortAfterMs = { min: 0, max: 500 };
/** What was not closed when the answer would have ended, and this much later, never was. */
const settleMs = 3_500;

/** What became of the calls that were left. */
interface Leaving {
  readonly closedAfterMs: readonly number[];
  /** The provider talked on to its end. */
  readonly unclosed: number;
  /** Left before the provider was asked: there was nothing to close. */
  readonly neverAsked: number;
}

type Way = 'stream' | 'whole';

export const abort: Benchmark = {
  name: 'abort',
  summary: "from a caller's leaving to the end of the provider's stream",
  defaultSeconds: 120,
  async run(context): Promise<Findings> {
    await using stack = new AsyncDisposableStack();
    const { provider, loadMs, rounds, say } = context;
    await provider.setModels(benchModels);
    const baselines = await startBaselines(stack, context);
    const fleet = stack.use(await startFleet(provider, size, context));
    const targets = new Map([provider, fleet.target, ...baselines].map((one) => [one.name, one]));
    const runMs = loadMs / rounds / targets.size / 2;

    const found = await interleave([...targets.keys()], rounds, async (name, round) => {
      const target = targets.get(name);
      if (!target) throw new Error(`there is no target ${name}`);
      const ways = {
        stream: await leave(context, target, 'stream', runMs),
        whole: await leave(context, target, 'whole', runMs),
      };
      say(
        `  round ${round + 1} ${name}: streams ${told(ways.stream)}; whole answers ${told(ways.whole)}`,
      );
      return ways;
    });
    const rows = [...targets.keys()].flatMap((name) =>
      (['stream', 'whole'] as const).flatMap((way) =>
        rowsOf(name, way, together((found[name] ?? []).map((round) => round[way]))),
      ),
    );
    return { rows, facts: { fleet: size } };
  },
};

async function leave(
  context: BenchContext,
  target: Target,
  way: Way,
  runMs: number,
): Promise<Leaving> {
  const { provider, clock, signal } = context;
  await provider.resetRecord();
  const { result } = await measure(context, target, {
    body: { model: talker.name, stream: way === 'stream' },
    pace: { kind: 'open', arrivals: { kind: 'even', perSecond: streamsPerSecond } },
    ...warmUpOf(runMs),
    aborts: {
      share: 1,
      afterMs: abortAfterMs,
      from: way === 'stream' ? 'first-token' : 'sent',
      seed: 1,
    },
    maxTraces: 100_000,
  });
  if (result.failed > 0)
    context.say(`  ${target.name}: ${result.failed} failed, ${result.problems[0]}`);
  await clock.sleep(settleMs, { signal });
  const { requests, forgotten } = await provider.record(100_000);
  if (forgotten > 0) throw new Error(`the provider's record lost ${forgotten} requests`);
  const closedAfterMs: number[] = [];
  let unclosed = 0;
  let neverAsked = 0;
  for (const { call, requests: tries } of joinCalls(result.traces, requests, talker.name)) {
    if (call.abortedAtMs === undefined) continue;
    if (tries.length === 0) neverAsked += 1;
    for (const { startedAtMs, abortSeenMs } of tries) {
      if (abortSeenMs === undefined) unclosed += 1;
      else closedAfterMs.push(Math.max(0, startedAtMs + abortSeenMs - call.abortedAtMs));
    }
  }
  return { closedAfterMs, unclosed, neverAsked };
}

function together(rounds: readonly Leaving[]): Leaving {
  return {
    closedAfterMs: rounds.flatMap(({ closedAfterMs }) => closedAfterMs),
    unclosed: rounds.reduce((sum, { unclosed }) => sum + unclosed, 0),
    neverAsked: rounds.reduce((sum, { neverAsked }) => sum + neverAsked, 0),
  };
}

function told({ closedAfterMs, unclosed }: Leaving): string {
  const figure = (percent: number) => percentile(closedAfterMs, percent)?.toFixed(0) ?? '-';
  return `closed after p50 ${figure(50)}, p99 ${figure(99)}, max ${figure(100)} ms (${closedAfterMs.length}), never ${unclosed}`;
}

function rowsOf(target: string, way: Way, leaving: Leaving): Row[] {
  const { closedAfterMs, unclosed } = leaving;
  const isFleet = target === 'fleet';
  const what = way === 'stream' ? 'streamed answer' : 'answer waited for whole';
  const times = [
    ['p50', 50],
    ['p99', 99],
    ['max', 100],
  ] as const;
  return [
    ...times.map(([name, percent]) =>
      row({
        id: `abort.${way}-${name}.${target}`,
        what: `client abort to provider's stream closed, ${what}, ${target}, ${closedAfterMs.length} aborts`,
        value: percentile(closedAfterMs, percent),
        unit: 'ms',
        ...(isFleet && { limit: { max: 100 } }),
        kind: 'speed',
      }),
    ),
    row({
      id: `abort.${way}-unclosed.${target}`,
      what: `aborts that never reached the provider, ${what}, ${target}, of ${closedAfterMs.length + unclosed}`,
      // Not one abort came to the provider: nothing was judged.
      value: isFleet && closedAfterMs.length + unclosed === 0 ? undefined : unclosed,
      unit: 'streams',
      ...(isFleet && { limit: { max: 0 } }),
      kind: isFleet ? 'promise' : 'speed',
    }),
  ];
}
