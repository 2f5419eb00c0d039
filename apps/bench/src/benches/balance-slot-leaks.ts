/**
 * Slots that were lost for good, judged from outside: after thousands of aborts and kills as many long
 * calls as the fleet has slots are made at once, and the provider must have them all in flight.
 */
import { seededRandom } from '@starling/clock';
import type { BenchContext } from '../benchmark.ts';
import { type Fleet, startFleet } from '../fleet/fleet.ts';
import { type Row, row } from '../report/row.ts';
import { measure } from '../rounds/measure.ts';
import { benchModels, dozer, holder, quitter } from './models.ts';

const size = { balancers: 3, workers: 4, slots: 16 };
const slots = size.workers * size.slots;
const perSecond = 100;
const abortShare = 0.75;
/** Some leave in the queue, some before the first token, some in the middle, some after the end. */
const abortAfterMs = { min: 0, max: 600 };
const killEveryMs = 4_000;
/** What must have come to rest by then; and how long it is looked at, to tell slow from never. */
const convergeMs = 5_000;
const watchMs = 10_000;
const pollMs = 25;

export async function balanceSlotLeaks(
  context: BenchContext,
  loadMs: number,
): Promise<readonly Row[]> {
  await using stack = new AsyncDisposableStack();
  const { provider, say } = context;
  await provider.setModels(benchModels);
  const fleet = stack.use(await startFleet(provider, size, context));

  say(`aborts at ${perSecond * abortShare} a second, a kill -9 every ${killEveryMs / 1000} s`);
  const over = new AbortController();
  const killing = killNow(context, fleet, over.signal);
  // Processes come and go here: there is no telling what each of them used.
  const target = { ...fleet.target, processes: () => [] };
  const storm = await measure(context, target, {
    body: { model: quitter.name, stream: true },
    pace: { kind: 'open', arrivals: { kind: 'poisson', perSecond, seed: 1 } },
    warmUpMs: 0,
    measureMs: loadMs,
    aborts: { share: abortShare, afterMs: abortAfterMs, from: 'sent', seed: 2 },
  }).finally(() => over.abort());
  const kills = await killing;
  say(`  ${storm.result.aborted} aborts, ${kills} kills, ${storm.result.failed} calls failed`);

  const orphans = await untilConcurrency(context, 0, convergeMs);
  await Promise.all(lastKilled(fleet).map((part) => part.replace()));
  // More calls than slots, and new ones all the time, so that every balancer has some waiting whatever
  // share of the slots it was given: a slot that is never taken then is lost.
  const all = await hold(context, fleet, { model: dozer.name, calls: 3 * slots, watchMs });
  say(`  in use at most: ${all.peaks.map(({ name, peak }) => `${name} ${peak}`).join(', ')}`);
  const doubly = all.peaks.reduce((sum, { peak }) => sum + Math.max(0, peak - size.slots), 0);
  await untilConcurrency(context, 0, convergeMs);
  const exact = await hold(context, fleet, {
    model: holder.name,
    calls: slots,
    watchMs: convergeMs,
  });

  const after = `after ${storm.result.aborted} random aborts and ${kills + lastKilled(fleet).length} kill -9 of workers and balancers`;
  return [
    row({
      id: 'balance.leaked-slots',
      what: `slots of ${slots} that take no job any more, ${after}`,
      value: slots - all.peak,
      unit: 'slots',
      limit: { max: 0 },
      kind: 'promise',
    }),
    row({
      id: 'balance.doubly-used-slots',
      what: 'calls of one worker at the provider beyond its slots, with every slot wanted',
      value: doubly,
      unit: 'slots',
      limit: { max: 0 },
      kind: 'promise',
    }),
    row({
      id: 'balance.orphans',
      what: `calls at the provider whose caller had left, ${convergeMs / 1000} s after the last`,
      value: orphans.reached ? 0 : orphans.last,
      unit: 'calls',
      limit: { max: 0 },
      kind: 'promise',
    }),
    row({
      id: 'balance.reconverged',
      what: 'from the start of a worker and a balancer that were killed to every slot in use',
      value: all.fullAfterMs === undefined ? undefined : all.fullAfterMs / 1000,
      unit: 's',
      limit: { max: convergeMs / 1000 },
      kind: 'speed',
    }),
    row({
      id: 'balance.idle-while-waiting',
      what: `slots of ${slots} that stay idle for ${convergeMs / 1000} s while as many calls are there as slots`,
      value: slots - exact.peak,
      unit: 'slots',
      limit: { max: 0 },
      kind: 'speed',
    }),
  ];
}

/** Keeps so many slow calls at the fleet and looks how many of them the provider has. */
async function hold(
  context: BenchContext,
  fleet: Fleet,
  options: { readonly model: string; readonly calls: number; readonly watchMs: number },
) {
  const { provider } = context;
  const { model, calls, watchMs } = options;
  await provider.resetRecord();
  const held = measure(
    context,
    { ...fleet.target, processes: () => [] },
    {
      body: { model, stream: false },
      pace: { kind: 'closed', inFlight: calls },
      warmUpMs: 0,
      measureMs: watchMs,
      // One that is refused while the fleet comes back is made again.
      maxCalls: calls * 100,
      maxInFlight: calls,
      drainMs: 0,
    },
  );
  const full = await untilConcurrency(context, slots, watchMs);
  await held;
  const { concurrency } = await provider.record(0);
  return {
    peak: concurrency.peak,
    fullAfterMs: full.reached ? full.afterMs : undefined,
    peaks: fleet.parts
      .filter(({ role }) => role === 'worker')
      .map((part) => ({
        name: part.name,
        peak: concurrency.byKey[fleet.keyLabelOf(part)]?.peak ?? 0,
      })),
  };
}

/** Kills one random worker or balancer after the other until the signal. @returns how many */
async function killNow(context: BenchContext, fleet: Fleet, over: AbortSignal): Promise<number> {
  const { clock, say } = context;
  const random = seededRandom(3);
  const mortal = fleet.parts.filter(({ role }) => role !== 'ingress');
  let kills = 0;
  for (;;) {
    await clock.sleep(killEveryMs, { signal: over }).catch(() => {});
    if (over.aborted) return kills;
    const part = mortal[random.integer(mortal.length)];
    say(`  kill -9 ${part?.name}`);
    await part?.replace();
    kills += 1;
  }
}

/** One of each role, for the last look. */
function lastKilled({ parts }: Fleet) {
  return (['worker', 'balancer'] as const).flatMap(
    (wanted) => parts.find(({ role }) => role === wanted) ?? [],
  );
}

/** Looks at the provider until it has exactly so many calls in flight. */
async function untilConcurrency(
  { provider, clock, signal }: BenchContext,
  wanted: number,
  withinMs: number,
): Promise<{ readonly reached: boolean; readonly last: number; readonly afterMs: number }> {
  const startMs = clock.monotonicMs();
  for (;;) {
    const { concurrency } = await provider.record(0);
    const afterMs = clock.monotonicMs() - startMs;
    if (concurrency.now === wanted) return { reached: true, last: wanted, afterMs };
    if (afterMs >= withinMs) return { reached: false, last: concurrency.now, afterMs };
    await clock.sleep(pollMs, { signal });
  }
}
