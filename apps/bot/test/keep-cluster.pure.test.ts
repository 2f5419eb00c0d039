import { SimulatedClock, seededRandom } from '@starling/clock';
import { log } from '@starling/telemetry';
import { captureTelemetry } from '@starling/telemetry/testing';
import { describe, expect, it } from 'vitest';
import type { ClusterExit, ClusterProcess } from '../src/cluster-launcher.ts';
import { IdentifyLanes } from '../src/identify-lanes.ts';
import { type ClusterError, keepCluster } from '../src/keep-cluster.ts';

/** A process that does as it is told. */
class FakeProcess implements ClusterProcess {
  readonly pid = 7;
  readonly signals: string[] = [];
  readonly #ready = Promise.withResolvers<void>();
  readonly #exited = Promise.withResolvers<ClusterExit>();
  /** Signals that end it. */
  mortal: readonly string[] = ['SIGTERM', 'SIGKILL'];
  answers = true;
  readonly ready = this.#ready.promise;
  readonly exited = this.#exited.promise;

  constructor() {
    this.ready.catch(() => {});
  }

  serve(): void {
    this.#ready.resolve();
  }

  exit(exit: Partial<ClusterExit> = {}): void {
    this.#ready.reject(new Error('it died'));
    this.#exited.resolve({ code: null, signal: null, ...exit });
  }

  async ping(): Promise<void> {
    if (!this.answers) throw new Error('no answer');
  }

  signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.signals.push(signal);
    if (this.mortal.includes(signal)) this.exit({ signal });
  }
}

function bench() {
  const clock = new SimulatedClock();
  const runs: FakeProcess[] = [];
  const gaveUp: ClusterError[] = [];
  const start = new AbortController();
  const telemetry = captureTelemetry();
  const kept = keepCluster(
    {
      name: 'c0',
      shards: [0, 1],
      launch: () => {
        const run = new FakeProcess();
        runs.push(run);
        return run;
      },
      lanes: new IdentifyLanes({ clock, maxConcurrency: 16 }),
      ...{ clock, random: seededRandom(3), logger: log('test') },
      readyTimeoutMs: 10_000,
      heartbeatMs: 1_000,
      onGaveUp: (error) => gaveUp.push(error),
    },
    { signal: start.signal },
  );
  kept.catch(() => {});
  const last = () => {
    const run = runs.at(-1);
    if (!run) throw new Error('nothing runs');
    return run;
  };
  return { clock, runs, gaveUp, start, kept, last, telemetry };
}

/** A bench whose cluster serves. */
async function servingBench() {
  const parts = bench();
  await parts.clock.advance(0);
  parts.last().serve();
  await parts.clock.advance(0);
  return { ...parts, cluster: await parts.kept };
}

describe('keepCluster', () => {
  it('replaces a cluster that died, after a pause', async () => {
    const { clock, cluster, last, runs, telemetry } = await servingBench();
    await using _ = telemetry;
    last().exit({ code: 1 });
    await clock.advance(20_000);
    expect(runs).toHaveLength(2);
    last().serve();
    await clock.advance(0);
    expect(cluster.restarts).toBe(1);
    await cluster[Symbol.asyncDispose]();
    expect(clock.pendingTimers).toBe(0);
  });

  it('replaces a cluster that is stuck, but only once it is gone', async () => {
    const { clock, cluster, last, runs, telemetry } = await servingBench();
    await using _ = telemetry;
    const [stuck] = runs;
    last().answers = false;
    last().mortal = ['SIGKILL'];
    await clock.advance(3_000);
    expect(stuck?.signals).toEqual(['SIGTERM']);
    await clock.advance(4_000);
    expect(runs).toHaveLength(1);
    await clock.advance(1_000);
    expect(stuck?.signals).toEqual(['SIGTERM', 'SIGKILL']);
    await clock.advance(20_000);
    expect(runs).toHaveLength(2);
    await cluster[Symbol.asyncDispose]();
  });

  it('forgives single silences', async () => {
    const { clock, cluster, last, runs, telemetry } = await servingBench();
    await using _ = telemetry;
    for (let round = 0; round < 5; round++) {
      last().answers = false;
      await clock.advance(2_000);
      last().answers = true;
      await clock.advance(2_000);
    }
    expect(runs).toHaveLength(1);
    await cluster[Symbol.asyncDispose]();
  });

  it('fails a first start at once', async () => {
    const { clock, kept, last, runs, telemetry } = bench();
    await using _ = telemetry;
    await clock.advance(0);
    last().exit({ code: 1 });
    await clock.advance(60_000);
    await expect(kept).rejects.toThrow('c0 ended with code 1');
    expect(runs).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it('does not start a cluster again that its settings forbid', async () => {
    const { clock, gaveUp, last, runs, telemetry } = await servingBench();
    await using _ = telemetry;
    last().exit({ code: 2 });
    await clock.advance(600_000);
    expect(gaveUp[0]?.message).toMatch('cannot run with these settings');
    expect(runs).toHaveLength(1);
  });

  it('gives up a served cluster after ten failures in a row, and says so', async () => {
    const { clock, gaveUp, last, runs, telemetry } = await servingBench();
    await using _ = telemetry;
    for (let failure = 1; failure <= 10; failure++) {
      last().exit({ signal: 'SIGSEGV' });
      await clock.advance(400_000);
    }
    expect(gaveUp.map(({ message }) => message)).toEqual(['c0 ended with SIGSEGV']);
    expect(runs).toHaveLength(10);
  });

  it('drains by SIGTERM, waits for the end, and kills at the deadline', async () => {
    const { clock, cluster, last, telemetry } = await servingBench();
    await using _ = telemetry;
    last().mortal = ['SIGKILL'];
    const hurry = new AbortController();
    let drained = false;
    const draining = cluster.drain({ signal: hurry.signal }).then(() => (drained = true));
    await clock.advance(30_000);
    expect(last().signals).toEqual(['SIGTERM']);
    expect(drained).toBe(false);
    hurry.abort();
    await draining;
    await cluster[Symbol.asyncDispose]();
    expect(last().signals).toContain('SIGKILL');
    expect(clock.pendingTimers).toBe(0);
  });

  it('ends what it has begun when the start is called off', async () => {
    const { clock, kept, last, start, telemetry } = bench();
    await using _ = telemetry;
    await clock.advance(0);
    start.abort(new Error('called off'));
    await clock.advance(0);
    await expect(kept).rejects.toThrow();
    expect(last().signals).toContain('SIGKILL');
    expect(clock.pendingTimers).toBe(0);
  });
});
