import { seededRandom } from '@starling/clock';
import type { BenchContext } from '../benchmark.ts';
import { startFleet } from '../fleet/fleet.ts';
import { type Row, row } from '../report/row.ts';
import { measure } from '../rounds/measure.ts';
import { percentile } from '../stats/percentile.ts';
import { lognormalServiceTimes } from '../stats/service-times.ts';
import {
  idealAssignment,
  spreadPercent,
  startsAboveLeast,
  type WorkerJob,
} from '../stats/worker-spread.ts';
import { benchModels, timed } from './models.ts';

const size = { balancers: 3, workers: 3, slots: 8 };
const wantedJobs = 10_000;
const perSecond = 270;
/** At 270 jobs a second 24 slots are taken to 90 % by the one and to 11 % by the other. */
const meanServiceMs = { heavy: 80, light: 10 };
const sigma = 1.1;

/** How evenly three equal workers are used, by the keys that the provider saw. */
export async function balanceSpread(
  context: BenchContext,
  loadMs: number,
): Promise<readonly Row[]> {
  await using stack = new AsyncDisposableStack();
  const { provider, say } = context;
  await provider.setModels(benchModels);
  const fleet = stack.use(await startFleet(provider, size, context));
  const workers = fleet.parts
    .filter(({ role }) => role === 'worker')
    .map((part) => fleet.keyLabelOf(part));

  const rows: Row[] = [];
  for (const load of ['light', 'heavy'] as const) {
    say(`spread over ${size.workers} workers, ${load} load`);
    await provider.resetRecord();
    const { result } = await measure(context, fleet.target, {
      body: { model: timed.name, stream: false },
      pace: { kind: 'open', arrivals: { kind: 'poisson', perSecond, seed: 1 } },
      warmUpMs: 0,
      measureMs: loadMs / 2,
      maxCalls: wantedJobs,
      answerTokens: lognormalServiceTimes({
        meanMs: meanServiceMs[load],
        sigma,
        count: wantedJobs,
        seed: 2,
      }),
    });
    if (result.failed > 0) say(`  ${result.failed} failed: ${result.problems[0]}`);
    const { requests, forgotten } = await provider.record(2 * wantedJobs);
    if (forgotten > 0) throw new Error(`the provider's record lost ${forgotten} requests`);
    const jobs = requests.flatMap(
      ({ keyLabel: worker, startedAtMs, endMs, ending }): WorkerJob[] =>
        ending === 'complete' && endMs !== undefined
          ? [{ worker, startMs: startedAtMs, endMs: startedAtMs + endMs }]
          : [],
    );
    rows.push(...spreadRows(load, jobs, workers));
  }
  return rows;
}

function spreadRows(
  load: 'light' | 'heavy',
  jobs: readonly WorkerJob[],
  workers: readonly string[],
): Row[] {
  const of = `${jobs.length} jobs over ${workers.length} equal workers, ${load} load`;
  return [
    row({
      id: `balance.spread-${load}`,
      what: `(most − fewest) / mean of ${of}`,
      value: jobs.length === 0 ? undefined : spreadPercent(jobs, workers),
      unit: '%',
      limit: { max: 10 },
      kind: 'speed',
    }),
    row({
      id: `balance.spread-${load}.ideal`,
      what: 'the same jobs by an exact central choice, random among equals',
      value: spreadPercent(idealAssignment(jobs, workers, seededRandom(1)), workers),
      unit: '%',
      kind: 'speed',
    }),
    row({
      id: `balance.above-least-${load}`,
      what: `jobs in flight of the chosen worker above the least loaded one's, p99, ${of}`,
      value: percentile(startsAboveLeast(jobs, workers), 99),
      unit: 'jobs',
      limit: { max: 1 },
      kind: 'speed',
    }),
  ];
}
