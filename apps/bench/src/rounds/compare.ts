import type { Target } from '../baselines/target.ts';
import type { BenchContext } from '../benchmark.ts';
import { interleave } from './interleave.ts';
import { type Load, measure, type Sample } from './measure.ts';

/** The samples of each target by its name, in the order of the rounds. */
export type Samples = Readonly<Record<string, readonly Sample[]>>;

/** Puts one load on every target in interleaved rounds, and says how each run went. */
export async function compare(
  context: BenchContext,
  targets: readonly Target[],
  load: Load,
): Promise<Samples> {
  const byName = new Map(targets.map((target) => [target.name, target]));
  return await interleave([...byName.keys()], context.rounds, async (name, round) => {
    const target = byName.get(name);
    if (!target) throw new Error(`there is no target ${name}`);
    const sample = await measure(context, target, load);
    context.say(`  round ${round + 1} ${name}: ${summary(sample, load.body.stream)}`);
    return sample;
  });
}

function summary({ result }: Sample, stream: boolean): string {
  const { latency, firstToken, perSecond, failed, notSent, problems } = result;
  const timed = stream ? firstToken : latency;
  const figures = [50, 99].map((percent) => {
    const value = timed.percentile(percent);
    return `p${percent} ${value === undefined ? '-' : value.toFixed(2)} ms`;
  });
  const trouble =
    failed + notSent > 0 ? [`${failed} failed (${problems[0]})`, `${notSent} not sent`] : [];
  return [`${Math.round(perSecond)}/s`, ...figures, ...trouble].join(', ');
}
