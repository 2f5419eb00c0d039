/** The rungs of the test ladder, in the order they run: the project's name in vitest.config.ts, and
 * the word for it in the table. */
export const rungs = {
  pure: 'pure',
  contract: 'contract',
  scenario: 'scenario',
  sim: 'simulation',
} as const;

export type Rung = keyof typeof rungs;

export const rungNames = Object.keys(rungs) as Rung[];

export const isRung = (word: string): word is Rung => Object.hasOwn(rungs, word);

/** The rung that a test file belongs to, by its name; undefined for a file that no rung runs. */
export function rungOf(path: string): Rung | undefined {
  const rung = /\.([a-z]+)\.test\.ts$/.exec(path)?.[1];
  return rung !== undefined && isRung(rung) ? rung : undefined;
}

/** One run of vitest. */
export interface Stage {
  readonly what: string;
  readonly rungs: readonly Rung[];
}

/**
 * Stages of one row run side by side. Pure and contract tests take all cores. Scenarios wait most of the
 * time, one after another; the simulation takes one core beside them, and no clock but its own.
 */
const stages: readonly (readonly Stage[])[] = [
  [{ what: 'pure and contract tests, side by side', rungs: ['pure', 'contract'] }],
  [
    { what: 'scenario tests: whole processes, one file after another', rungs: ['scenario'] },
    { what: 'simulation: seeded runs', rungs: ['sim'] },
  ],
];

/** The stages that the chosen rungs need, in the rows that they run in. */
export function stagesFor(chosen: readonly Rung[]): Stage[][] {
  return stages
    .map((row) =>
      row
        .map((stage) => ({ ...stage, rungs: stage.rungs.filter((rung) => chosen.includes(rung)) }))
        .filter((stage) => stage.rungs.length > 0),
    )
    .filter((row) => row.length > 0);
}
