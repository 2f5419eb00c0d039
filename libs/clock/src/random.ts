import { randomInt } from 'node:crypto';

/** Randomness as an argument, so that a run can be repeated from its seed. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** A whole number in [0, bound). */
  integer(bound: number): number;
}

/** The machine's own randomness. */
export const systemRandom: Random = {
  next: () => randomInt(2 ** 47) / 2 ** 47,
  integer: (bound) => randomInt(bound),
};

/**
 * A repeatable stream: mulberry32, which passes gjrand and has a period of 2^32; enough for tests
 * and simulations, never for secrets.
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { next, integer: (bound) => Math.floor(next() * bound) };
}
