import type { Target } from '../baselines/target.ts';
import type { BenchContext } from '../benchmark.ts';
import type { Measured } from '../load/load-generator.ts';
import type { LoadPlan } from '../load/load-plan.ts';
import { withCpu } from '../processes/process-usage.ts';

/** The part of a plan that a benchmark chooses; the rest follows from the target. */
export type Load = Pick<LoadPlan, 'body' | 'pace' | 'warmUpMs' | 'measureMs'> &
  Partial<
    Pick<LoadPlan, 'maxCalls' | 'maxInFlight' | 'maxTraces' | 'aborts' | 'answerTokens' | 'drainMs'>
  >;

/** One run against one target. */
export interface Sample {
  readonly result: Measured;
  /** CPU seconds for a thousand calls, by process name; `provider` and `generator` among them. */
  readonly cpuPerThousand: Readonly<Record<string, number>>;
}

/** Calls that are still in flight when a run ends are given this long. */
const drainMs = 15_000;
/** Connections of a client that keeps them; more in flight would measure our own queue. */
const defaultInFlight = 512;

let runs = 0;

/** Runs a load against a target. No two runs ask the same prompts, so that nothing can be remembered. */
export async function measure(
  { generator, provider, signal, clock }: BenchContext,
  target: Target,
  load: Load,
): Promise<Sample> {
  signal.throwIfAborted();
  runs += 1;
  const processes = [
    ...target.processes(),
    { name: 'provider', pid: provider.pid },
    { name: 'generator', pid: generator.pid },
  ];
  const plan: LoadPlan = {
    url: target.url,
    headers: { ...target.headers },
    ...(target.keyHeader !== undefined && { keyHeader: target.keyHeader }),
    bearers: [...target.bearers],
    promptPrefix: `${target.name} ${clock.nowMs()} ${runs}`,
    maxCalls: 1_000_000,
    maxInFlight: defaultInFlight,
    drainMs,
    maxTraces: 0,
    ...load,
  };
  const { result, cpuSeconds } = await withCpu(processes, () => generator.run(plan, { signal }));
  return {
    result,
    cpuPerThousand: Object.fromEntries(
      Object.entries(cpuSeconds).map(([name, seconds]) => [
        name,
        Number(((seconds * 1000) / Math.max(1, result.calls)).toFixed(3)),
      ]),
    ),
  };
}

/** Splits the time of one run: a fifth of it, at most two seconds, warms up. */
export function warmUpOf(runMs: number): Pick<LoadPlan, 'warmUpMs' | 'measureMs'> {
  const warmUpMs = Math.min(2_000, runMs / 5);
  return { warmUpMs, measureMs: runMs - warmUpMs };
}

/**
 * Drives each target for `runMs` before anything is measured: the numbers are those of processes that
 * have run for a while, for all targets alike. V8 compiles what is called often, so that the first
 * seconds of a process cost several times what it costs later.
 */
export async function warmUp(
  context: BenchContext,
  targets: readonly Target[],
  load: Pick<Load, 'body' | 'pace' | 'answerTokens'> & { readonly runMs: number },
): Promise<void> {
  const { runMs, ...rest } = load;
  for (const target of targets) {
    await measure(context, target, { ...rest, warmUpMs: 0, measureMs: runMs });
  }
}
