/** In which order the rungs of a ladder are tried. */
import type { Random } from '@starling/clock';
import { judgedCalls } from './fault-share.ts';
import type { Ladder, Rung } from './rung.ts';
import type { HealthBook } from './rung-health.ts';

/** A rung with more faults than this among its latest calls, and twice the next one's, moves behind it. */
const badShare = 0.2;
const timesWorse = 2;
/** Calls that go by the configured order all the same, and so find out whether it is well again. */
const probeShare = 0.05;

/** The rungs as they are to be tried now: by preference, the keys of a step by their open streams. */
export function orderedRungs(ladder: Ladder, health: HealthBook, random: Random): readonly Rung[] {
  const preferred = ladder.flatMap((keys) => byLoad(keys, health, random));
  const behind = badBehind(preferred, health);
  if (behind.every((rung, at) => rung === preferred[at])) return preferred;
  return random.next() < probeShare ? preferred : behind;
}

function byLoad(keys: readonly Rung[], health: HealthBook, random: Random): readonly Rung[] {
  if (keys.length < 2) return keys;
  return keys
    .map((rung) => ({ rung, load: health.of(rung).inFlight, tie: random.next() }))
    .sort((a, b) => a.load - b.load || a.tie - b.tie)
    .map(({ rung }) => rung);
}

/** Two of which each were worse than the other there are none, so that this ends. */
function badBehind(rungs: readonly Rung[], health: HealthBook): readonly Rung[] {
  const order = [...rungs];
  for (let swapped = true; swapped; ) {
    swapped = false;
    for (const [at, rung] of order.entries()) {
      const next = order[at + 1];
      if (!next || !isWorse(rung, next, health)) continue;
      order.splice(at, 2, next, rung);
      swapped = true;
    }
  }
  return order;
}

function isWorse(rung: Rung, next: Rung, health: HealthBook): boolean {
  const { calls, share } = health.of(rung).share;
  if (calls < judgedCalls || share <= badShare) return false;
  return share >= timesWorse * health.of(next).share.share;
}
