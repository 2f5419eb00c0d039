/** What the HTTP front door adds to a call, how much it bears, and what it costs. */
import { startBaselines } from '../baselines/start-baselines.ts';
import type { BenchContext, Benchmark, Findings } from '../benchmark.ts';
import { type Fleet, startFleet } from '../fleet/fleet.ts';
import { row } from '../report/row.ts';
import { compare } from '../rounds/compare.ts';
import { warmUp, warmUpOf } from '../rounds/measure.ts';
import { benchmarkFacts } from './benchmark-facts.ts';
import { latencyRows } from './latency-rows.ts';
import { memoryOverJobs } from './memory-over-jobs.ts';
import { benchModels, instant, steadyStream } from './models.ts';
import { saturationRows } from './saturation-rows.ts';

/** Streams in flight at 60 a second of 0.7 s each are about 42: twice the slots they need. */
const size = { balancers: 2, workers: 2, slots: 48 };
/** The connections of a client that wants all it can get. */
const saturatingCalls = 96;

export const ingress: Benchmark = {
  name: 'ingress',
  summary:
    'added latency and first token, requests a second, memory, CPU, against direct calls, HAProxy, Portkey',
  defaultSeconds: 420,
  async run(context): Promise<Findings> {
    await using stack = new AsyncDisposableStack();
    const { provider, loadMs, rounds, say } = context;
    await provider.setModels(benchModels);
    const baselines = await startBaselines(stack, context);
    const fleet = stack.use(await startFleet(provider, size, context));
    const targets = [provider, fleet.target, fleet.durable, ...baselines];

    const saturating = {
      body: { model: instant.name, stream: false },
      pace: { kind: 'closed', inFlight: saturatingCalls },
    } as const;
    say('warming up');
    await warmUp(context, targets, { ...saturating, runMs: (loadMs * 0.15) / targets.length });

    say('300 requests a second');
    const whole = await compare(context, targets, {
      body: { model: instant.name, stream: false },
      pace: { kind: 'open', arrivals: { kind: 'even', perSecond: 300 } },
      ...warmUpOf((loadMs * 0.25) / rounds / targets.length),
    });
    say('60 streams a second');
    const streams = await compare(context, targets, {
      body: { model: steadyStream.name, stream: true },
      pace: { kind: 'open', arrivals: { kind: 'even', perSecond: 60 } },
      ...warmUpOf((loadMs * 0.2) / rounds / targets.length),
    });
    say(`as many as go through, ${saturatingCalls} at once`);
    const saturated = await compare(context, targets, {
      ...saturating,
      ...warmUpOf((loadMs * 0.2) / rounds / targets.length),
    });
    const left = await storedAfter(fleet, context);
    say('memory over many jobs');
    const memory = await memoryOverJobs(context, fleet, loadMs * 0.2);

    const failed = [whole, streams]
      .flatMap((samples) => [samples.fleet, samples['fleet-durable']])
      .flatMap((samples) => samples ?? [])
      .reduce((sum, { result }) => sum + result.failed + result.notSent, 0);
    return {
      rows: [
        row({
          id: 'ingress.failed',
          what: 'requests at 300/s and streams at 60/s that were refused, cut, or not answered whole',
          value: failed,
          unit: 'requests',
          limit: { max: 0 },
          kind: 'promise',
        }),
        row({
          id: 'ingress.left-in-jobs',
          what: 'jobs that lie in JOBS when all durable requests were answered',
          value: left,
          unit: 'jobs',
          limit: { max: 0 },
          kind: 'promise',
        }),
        ...latencyRows({ whole, streams }),
        ...saturationRows({ saturated, whole }),
        ...memory.rows,
      ],
      facts: {
        fleet: { ...size, exportedBytes: fleet.exportedBytes() },
        ...benchmarkFacts({ whole, streams, saturated }),
        memory: memory.facts,
      },
    };
  },
};

/** Removals follow the answers, none of which waits for one. */
const settleMs = 2_000;

async function storedAfter(fleet: Fleet, { clock }: BenchContext): Promise<number> {
  const endMs = clock.monotonicMs() + settleMs;
  for (;;) {
    const stored = await fleet.storedJobs();
    if (stored === 0 || clock.monotonicMs() >= endMs) return stored;
    await clock.sleep(100);
  }
}
