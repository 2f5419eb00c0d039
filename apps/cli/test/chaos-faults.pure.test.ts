import { SimulatedClock, seededRandom } from '@starling/clock';
import { describe, expect, it } from 'vitest';
import type { DiscordSide } from '../src/chaos/discord-side.ts';
import { createDeck } from '../src/chaos/fault-deck.ts';
import { type FaultKind, faultKinds } from '../src/chaos/fault-kinds.ts';
import type { FaultSite } from '../src/chaos/fault-site.ts';
import { runStrikes } from '../src/chaos/strikes.ts';
import { TargetChoice } from '../src/chaos/target-choice.ts';

describe('the faults of a scenario', () => {
  it('are one and the same, or in a storm each once before any comes again', () => {
    const single = createDeck('pause-worker', seededRandom(1));
    expect([single.draw(), single.draw()]).toEqual(['pause-worker', 'pause-worker']);
    const storm = createDeck('storm', seededRandom(1));
    for (let round = 0; round < 3; round += 1) {
      const drawn = faultKinds.map(() => storm.draw());
      expect(new Set(drawn)).toEqual(new Set(faultKinds));
    }
  });

  it('come in the same order from the same seed, in another from another', () => {
    const order = (seed: number) => {
      const deck = createDeck('storm', seededRandom(seed));
      return faultKinds.map(() => deck.draw()).join();
    };
    expect(order(7)).toBe(order(7));
    expect(new Set([1, 2, 3, 4].map(order)).size).toBeGreaterThan(1);
  });
});

describe('the target of a fault', () => {
  it('is the one struck least, each at most five times', () => {
    const choice = new TargetChoice(seededRandom(3));
    const names = ['a', 'b', 'c'];
    const struck = Array.from({ length: 15 }, () => choice.choose(names));
    for (let round = 0; round < 5; round += 1) {
      expect(new Set(struck.slice(round * 3, round * 3 + 3))).toEqual(new Set(names));
    }
    expect(choice.choose(names)).toBeUndefined();
    expect(choice.choose(['d'])).toBe('d');
    expect(choice.choose([])).toBeUndefined();
  });
});

const plan = {
  firstAtMs: 1_000,
  pauseMs: { least: 1_000, most: 2_500 },
  untilMs: 20_000,
  untilAtLastMs: 60_000,
};

/** Strikes with lost replies, which need no process, while `streamingAt` tells what streams when. */
async function strikesOf(options: {
  readonly streamingAt: (elapsedMs: number) => number;
  readonly hits?: number;
  readonly fault?: FaultKind;
  readonly stands?: (elapsedMs: number) => boolean;
}) {
  const { fault = 'lost-post-reply', hits = 2, stands = () => true, streamingAt } = options;
  const clock = new SimulatedClock();
  const startMs = clock.monotonicMs();
  const elapsedMs = () => clock.monotonicMs() - startMs;
  const random = seededRandom(1);
  const discord: Pick<DiscordSide, 'endFaults' | 'loseReplies'> = {
    loseReplies: async () => {},
    endFaults: async () => hits,
  };
  const site: FaultSite = {
    fleet: { parts: () => [{ name: 'balancer-1', detail: '' }] },
    discord: discord as DiscordSide,
    links: new Map(),
    choice: new TargetChoice(random),
    random,
    clock,
    holdMs: 1_000,
    signal: new AbortController().signal,
  };
  const running = runStrikes(plan, {
    deck: { draw: () => fault },
    site,
    provider: { streaming: async () => streamingAt(elapsedMs()) },
    clock,
    elapsedMs,
    stands: () => stands(elapsedMs()),
    say: () => {},
  });
  await clock.advance(100_000);
  return { ...(await running), elapsedMs };
}

describe('a fault strikes', () => {
  it('only while at least five answers stream', async () => {
    const { strikes } = await strikesOf({ streamingAt: (ms) => (ms >= 7_000 ? 6 : 4) });
    expect(strikes[0]?.atMs).toBeGreaterThanOrEqual(7_000);
    expect(strikes.length).toBeGreaterThanOrEqual(3);
    expect(strikes.every(({ streaming }) => streaming === 6)).toBe(true);
  });

  it('at distances that differ, so that no job meets one on each of its attempts', async () => {
    const { strikes } = await strikesOf({ streamingAt: () => 9 });
    const pauses = strikes.slice(1).map(({ atMs }, n) => atMs - (strikes[n]?.overMs ?? 0));
    const { least, most } = plan.pauseMs;
    expect(pauses.every((pauseMs) => pauseMs >= least && pauseMs <= most)).toBe(true);
    expect(new Set(pauses).size).toBe(pauses.length);
  });

  it('never where nothing streams, and the run ends in its bound', async () => {
    const { strikes } = await strikesOf({ streamingAt: () => 4 });
    expect(strikes).toEqual([]);
  });

  it('after the end of the load only while there were fewer than three', async () => {
    const late = await strikesOf({ streamingAt: (ms) => (ms >= 30_000 ? 9 : 0) });
    expect(late.strikes).toHaveLength(3);
    const { strikes } = await strikesOf({ streamingAt: () => 9 });
    expect(strikes.length).toBeGreaterThanOrEqual(3);
    expect(strikes.at(-1)?.atMs).toBeLessThan(plan.untilMs);
  });

  it('not at all, by its own account, when it met nothing', async () => {
    const { strikes } = await strikesOf({ streamingAt: () => 9, hits: 0 });
    expect(strikes).toEqual([]);
    const dead = await strikesOf({ streamingAt: () => 9, fault: 'kill-balancer' });
    expect(dead.strikes).toEqual([]);
  });

  it('no more once the fleet was given up', async () => {
    const { strikes } = await strikesOf({ streamingAt: () => 9, stands: (ms) => ms < 3_000 });
    expect(strikes).toHaveLength(1);
  });
});
