import type { Clock } from '@starling/clock';
import type { Provider } from './baselines/provider.ts';
import type { LoadGenerator } from './load/load-generator.ts';
import type { Row } from './report/row.ts';

/** What a benchmark is run with. */
export interface BenchContext {
  readonly clock: Clock;
  /** Of the process; npm needs it to fetch a baseline. */
  readonly environment: NodeJS.ProcessEnv;
  /** Where baselines are kept between runs. */
  readonly cacheDir: string;
  readonly generator: LoadGenerator;
  readonly provider: Provider;
  /** Interleaved rounds of each comparison. */
  readonly rounds: number;
  /** Time under load, warm-ups included, over all rounds and targets. */
  readonly loadMs: number;
  /** Where the processes of a fleet leave CPU profiles, when they are to. */
  readonly cpuProfDir?: string;
  /** Progress, for people. */
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** What a benchmark found. */
export interface Findings {
  readonly rows: readonly Row[];
  /** Measured besides, and no number of its own: CPU, memory, errors. */
  readonly facts: Readonly<Record<string, unknown>>;
}

export interface Benchmark {
  readonly name: string;
  readonly summary: string;
  /** Of {@link BenchContext.loadMs}, unless told otherwise. */
  readonly defaultSeconds: number;
  run(context: BenchContext): Promise<Findings>;
}
