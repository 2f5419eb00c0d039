import { type Literal, scan } from '../tidy/scan.ts';

/** A test, or a group of them, whose title names feature ids. */
export interface NamingTest {
  readonly path: string;
  readonly title: string;
  readonly ids: readonly string[];
}

/** `[A1]`, or several at once: `[A1, B3]`. */
const idsInBrackets = /\[([A-Z]\d{1,2}(?:, ?[A-Z]\d{1,2})*)\]/g;

/** What stands between a test function's name and its title: `it(`, `it.each([…])(`, `describe(`. */
const opensTitle = /(?:\b(?:it|test|describe)(?:\.\w+)*|\))\s*\(\s*$/;
const lookBehind = 60;

/** The tests of one file that name features, in order. */
export function namingTests(path: string, text: string): NamingTest[] {
  const { code, literals } = scan(text);
  const isTitle = ({ start }: Literal) =>
    opensTitle.test(code.slice(Math.max(0, start - lookBehind), start));
  return literals
    .filter(isTitle)
    .map(({ text: title }) => ({ path, title, ids: idsOf(title) }))
    .filter(({ ids }) => ids.length > 0);
}

function idsOf(title: string): string[] {
  return [...title.matchAll(idsInBrackets)].flatMap(({ 1: list = '' }) => list.split(/, ?/));
}
