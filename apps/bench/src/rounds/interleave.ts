import { median } from '../stats/median.ts';

/**
 * Measures every target once a round, in an order that moves on by one each round: whatever slows
 * the machine for a while strikes all of them, and none is always first.
 * @returns each target's results in the order of the rounds
 */
export async function interleave<Name extends string, Result>(
  targets: readonly Name[],
  rounds: number,
  measure: (target: Name, round: number) => Promise<Result>,
): Promise<Readonly<Record<Name, readonly Result[]>>> {
  const results = Object.fromEntries(targets.map((name) => [name, [] as Result[]])) as Record<
    Name,
    Result[]
  >;
  for (let round = 0; round < rounds; round += 1) {
    for (let place = 0; place < targets.length; place += 1) {
      const target = targets[(place + round) % targets.length];
      if (target !== undefined) results[target].push(await measure(target, round));
    }
  }
  return results;
}

/**
 * The median over the rounds of what one target's result is against the other's of the same round:
 * the noise that both have in common falls away before the median is taken.
 */
export function medianPerRound<Result>(
  ours: readonly Result[],
  theirs: readonly Result[],
  compare: (ours: Result, theirs: Result) => number | undefined,
): number | undefined {
  const values = ours.flatMap((result, round) => {
    const other = theirs[round];
    const value = other === undefined ? undefined : compare(result, other);
    return value === undefined ? [] : [value];
  });
  return median(values);
}
