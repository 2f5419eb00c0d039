import type { Finding, Rule, Source } from './project.ts';
import { lineAt } from './scan.ts';

interface Mark {
  readonly pattern: RegExp;
  readonly message: string;
}

/** Finds each pattern in one view of a file. */
function find(source: Source, view: 'code' | 'comments', marks: readonly Mark[]): Finding[] {
  return marks.flatMap(({ pattern, message }) =>
    [...source[view].matchAll(pattern)].map(({ index }) => ({
      path: source.path,
      line: lineAt(source.text, index),
      message,
    })),
  );
}

const testMarks: readonly Mark[] = [
  {
    pattern:
      /\b(?:it|test|describe|suite|bench)(?:\s*\.\s*\w+)*\s*\.\s*(?:only|skip|todo|skipIf|runIf|fails)\b/g,
    message: 'a test that is picked out, skipped or promised: run it or delete it',
  },
  {
    pattern: /(?<![.\w$])(?:xit|xdescribe|fit|fdescribe)\s*\(/g,
    message: 'a test that is skipped',
  },
];

export const skippedTests: Rule = {
  name: 'skipped tests',
  why: 'a test that does not run holds nothing',
  check: ({ sources }) =>
    sources
      .filter(({ path }) => path.endsWith('.test.ts'))
      .flatMap((source) => find(source, 'code', testMarks)),
};

const unfinished: readonly Mark[] = [
  {
    pattern: new RegExp(`\\b(?:${['TO', 'FIX'].join('DO|')}ME|XXX|HACK)\\b`, 'g'),
    message: 'an open end in a comment: finish it, or state the limit plainly',
  },
];

export const openEnds: Rule = {
  name: 'open ends',
  why: 'what is not done is written in the issues, not in the code',
  check: ({ sources }) => sources.flatMap((source) => find(source, 'comments', unfinished)),
};

const inComments: readonly Mark[] = [
  { pattern: /@ts-(?:ignore|nocheck)\b/g, message: 'silences the compiler' },
];
const inCode: readonly Mark[] = [
  { pattern: /\bas\s+any\b|<any>|:\s*any\b(?!\s*\()/g, message: 'any: use unknown and narrow it' },
];
const silencedInSource: readonly Mark[] = [
  { pattern: /@ts-expect-error\b/g, message: 'silences the compiler outside a test' },
];

export const typeEscapes: Rule = {
  name: 'type escapes',
  why: 'a hole in the types hides the bug they would have found',
  check: ({ sources }) =>
    sources.flatMap((source) => [
      ...find(source, 'comments', inComments),
      ...find(source, 'code', inCode),
      ...(source.forTests ? [] : find(source, 'comments', silencedInSource)),
    ]),
};
