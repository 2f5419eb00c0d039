import { SimulatedClock } from '@starling/clock';
import { describe, expect, it } from 'vitest';
import { IdentifyLanes } from '../src/identify-lanes.ts';

const never = new AbortController().signal;

/** Starts clusters that take a second each; tells when each began. */
async function begin(maxConcurrency: number, clusters: readonly (readonly number[])[]) {
  const clock = new SimulatedClock();
  const lanes = new IdentifyLanes({ clock, maxConcurrency });
  const begunAtMs: number[] = [];
  const starts = clusters.map((shards) =>
    lanes.start(
      shards,
      async () => {
        begunAtMs.push(clock.monotonicMs());
        await clock.sleep(1000);
      },
      never,
    ),
  );
  await clock.advance(60_000);
  await Promise.all(starts);
  return begunAtMs;
}

describe('IdentifyLanes', () => {
  it('starts one cluster after the other', async () => {
    expect(
      await begin(16, [
        [0, 1],
        [2, 3],
      ]),
    ).toEqual([0, 1000]);
  });

  it('lets a lane rest before another cluster uses it', async () => {
    expect(
      await begin(1, [
        [0, 1],
        [2, 3],
      ]),
    ).toEqual([0, 6250]);
    expect(await begin(4, [[0], [4], [5]])).toEqual([0, 6250, 7250]);
  });

  it('goes on after a start that failed, and gives up a turn that is called off', async () => {
    const clock = new SimulatedClock();
    const lanes = new IdentifyLanes({ clock, maxConcurrency: 16 });
    const failing = lanes.start([0], () => Promise.reject(new Error('no')), never);
    await expect(failing).rejects.toThrow('no');
    const off = new AbortController();
    const waiting = lanes.start([0], async () => 'begun', off.signal);
    off.abort(new Error('called off'));
    await expect(waiting).rejects.toThrow('called off');
    expect(await lanes.start([1], async () => 'begun', never)).toBe('begun');
  });
});
