/** One step of `npm run check`: a program and its arguments, from the root. */
export interface Step {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
}

const tool = (name: string, program: string, ...args: string[]): Step => ({
  name,
  program: `node_modules/.bin/${program}`,
  args,
});

const script = (name: string, path: string, ...args: string[]): Step => ({
  name,
  program: process.execPath,
  args: [path, ...args],
});

/** Quick ones first; all of them run, whatever the others say. */
export const steps: readonly Step[] = [
  tool('format and lint', 'biome', 'ci', '--error-on-warnings', '--colors=off'),
  tool('types', 'tsc', '-p', '.'),
  script('tidy', 'scripts/tidy.ts'),
  tool('unused code', 'knip', '--no-config-hints', '--no-progress', '--exclude=exports'),
  // What a library offers and nobody takes. Types are left out: they say what the functions beside
  // them take and return, whether or not somebody names them.
  tool(
    'unused exports',
    'knip',
    '--no-config-hints',
    '--no-progress',
    '--include-entry-exports',
    '--include=exports',
  ),
  script('feature map', 'scripts/features.ts', '--check'),
  script('settings page', 'scripts/config-docs.ts', '--check'),
];
