import type { Random } from '@starling/clock';
import { type FaultKind, faultKinds, type ScenarioName } from './fault-kinds.ts';

/** Which fault is next. */
export interface FaultDeck {
  draw(): FaultKind;
}

/**
 * A scenario's faults in their order: a storm deals all kinds in an order drawn from `random` and
 * begins anew when each was dealt, so that a short storm repeats none.
 */
export function createDeck(scenario: ScenarioName, random: Random): FaultDeck {
  if (scenario !== 'storm') return { draw: () => scenario };
  let left: FaultKind[] = [];
  return {
    draw() {
      if (left.length === 0) left = [...faultKinds];
      const [drawn] = left.splice(random.integer(left.length), 1);
      return drawn ?? 'kill-worker';
    },
  };
}
