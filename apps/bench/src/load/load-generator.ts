import { spawnApp } from '@starling/harness';
import { request } from 'undici';
import { Histogram } from '../stats/histogram.ts';
import { type LoadPlan, loadResult } from './load-plan.ts';

/** A run's result with its histograms whole again. */
export type Measured = ReturnType<typeof withHistograms>;

/** The generator's process. Disposing ends it. */
export interface LoadGenerator extends AsyncDisposable {
  readonly pid: number;
  /** @throws {Error} when the plan is wrong, a run goes on already, or the signal aborts */
  run(plan: LoadPlan, options?: { readonly signal?: AbortSignal }): Promise<Measured>;
}

/** Starts the generator, warm for every run after its first. */
export async function startLoadGenerator(): Promise<LoadGenerator> {
  const app = await spawnApp({ entry: new URL('./generator-main.ts', import.meta.url) });
  const url = app.readiness.url;
  if (typeof url !== 'string') throw new Error('the load generator told no address');
  return {
    pid: app.pid,
    async run(plan, options) {
      const { statusCode, body } = await request(`${url}/run`, {
        method: 'POST',
        body: JSON.stringify(plan),
        // A run takes as long as its plan says.
        headersTimeout: 0,
        bodyTimeout: 0,
        ...(options?.signal && { signal: options.signal }),
      });
      const text = await body.text();
      if (statusCode !== 200) throw new Error(`the load generator: ${text}`);
      return withHistograms(loadResult.parse(JSON.parse(text)));
    },
    [Symbol.asyncDispose]: () => app[Symbol.asyncDispose](),
  };
}

function withHistograms(result: ReturnType<typeof loadResult.parse>) {
  return {
    ...result,
    latency: Histogram.of(result.latency),
    firstToken: Histogram.of(result.firstToken),
    lateness: Histogram.of(result.lateness),
  };
}
