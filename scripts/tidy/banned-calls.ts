import type { Finding, Rule, Source } from './project.ts';
import { lineAt } from './scan.ts';

interface Ban {
  readonly what: string;
  readonly pattern: RegExp;
  readonly instead: string;
  /** Where the call is at home. */
  allowed(source: Source): boolean;
}

const within = (...places: readonly string[]) => {
  return ({ path }: Source) =>
    places.some((place) => path === place || path.startsWith(`${place}/`));
};
const clockOrScripts = within('libs/clock', 'scripts');
const isMain = ({ path }: Source) => /^apps\/[^/]+\/src\/main\.ts$/.test(path);

/** A name used as a value: not a member of something else, not a key or a declared method. */
const free = (name: string) =>
  new RegExp(`(?<![.\\w$#])(?:globalThis\\.)?${name}\\b(?!\\s*\\??:)`, 'g');

const timeReason = 'take a Clock (libs/clock) as an argument';

const bans: readonly Ban[] = [
  { what: 'Date.now', pattern: free('Date\\.now'), instead: timeReason, allowed: clockOrScripts },
  {
    what: 'new Date() of now',
    pattern: /(?<![.\w$])new\s+Date\b(?:\s*\(\s*\)|(?!\s*\())/g,
    instead: timeReason,
    allowed: clockOrScripts,
  },
  {
    what: 'performance.now',
    pattern: free('performance\\.(?:now|timeOrigin)'),
    instead: timeReason,
    allowed: clockOrScripts,
  },
  {
    what: 'process.hrtime',
    pattern: free('process\\.hrtime'),
    instead: timeReason,
    allowed: clockOrScripts,
  },
  {
    what: 'a timer',
    pattern: free('(?:setTimeout|setInterval)'),
    instead: timeReason,
    allowed: clockOrScripts,
  },
  {
    what: 'Math.random',
    pattern: free('Math\\.random'),
    instead: 'take a Random (libs/clock) as an argument',
    allowed: clockOrScripts,
  },
  {
    what: 'console',
    pattern: free('console\\s*\\.'),
    instead: 'log through @starling/telemetry',
    allowed: within('apps/cli', 'scripts', 'libs/telemetry'),
  },
  {
    what: 'process.env',
    pattern: free('process\\.env'),
    instead: 'read settings through @starling/config in an app’s main.ts and pass them on',
    allowed: (source) => isMain(source) || within('scripts', 'libs/harness')(source),
  },
  {
    what: 'process.exit',
    pattern: free('process\\.exit\\b(?!Code)'),
    instead: 'let @starling/lifecycle end the process, so that it drains',
    allowed: within('libs/lifecycle', 'apps/cli', 'scripts'),
  },
];

const timerModule = /^(?:node:)?timers(?:\/promises)?$/;

export const bannedCalls: Rule = {
  name: 'banned calls',
  why: 'time, randomness, the environment, the console and the process have one home each',
  check: ({ sources }) => sources.flatMap((source) => [...calls(source), ...timerImports(source)]),
};

function calls(source: Source): Finding[] {
  return bans
    .filter((ban) => !ban.allowed(source))
    .flatMap(({ what, pattern, instead }) =>
      [...source.code.matchAll(pattern)].map(({ index }) => ({
        path: source.path,
        line: lineAt(source.code, index),
        message: `${what}: ${instead}`,
      })),
    );
}

function timerImports(source: Source): Finding[] {
  if (clockOrScripts(source)) return [];
  return source.imports
    .filter(({ specifier }) => timerModule.test(specifier))
    .map(({ specifier, line }) => ({
      path: source.path,
      line,
      message: `${specifier}: ${timeReason}`,
    }));
}
