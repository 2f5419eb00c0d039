import { posix } from 'node:path';
import type { Finding, Rule } from './project.ts';

/** The longest file anyone should have to read at once; a list of tests may be longer. */
const maxLines = 300;

const vague = new Set(['utils', 'util', 'helpers', 'helper', 'common', 'misc', 'shared', 'stuff']);
const kebab = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9-]+)*\.ts$/;
const inTestFolder = /(?:^|\/)test\//;
const withRung = /\.(?:pure|contract|scenario|sim)\.test\.ts$/;

export const fileSize: Rule = {
  name: 'file size',
  why: `a file over ${maxLines} lines holds more than one thing`,
  check: ({ sources }) =>
    sources.flatMap(({ path, text }) => {
      if (inTestFolder.test(path)) return [];
      const lines = text.trimEnd().split('\n').length;
      if (lines <= maxLines) return [];
      return [{ path, line: maxLines + 1, message: `${lines} lines, over ${maxLines}` }];
    }),
};

export const fileNames: Rule = {
  name: 'file names',
  why: 'a file is named after what it exports, and a test after the rung that runs it',
  check: ({ sources }) => sources.flatMap(({ path }) => misnamed(path)),
};

function misnamed(path: string): Finding[] {
  const name = posix.basename(path);
  const words = path.split('/').map((part) => part.replace(/\..*$/, ''));
  const messages: string[] = [];
  if (!kebab.test(name)) messages.push('name it in kebab-case');
  if (words.some((word) => vague.has(word))) messages.push('name it after what it holds');
  if (name.endsWith('.test.ts') && !(withRung.test(name) && inTestFolder.test(path))) {
    messages.push('no rung runs it: <package>/test/NAME.{pure,contract,scenario,sim}.test.ts');
  }
  return messages.map((message) => ({ path, line: 1, message }));
}
