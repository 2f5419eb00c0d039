import type { Rule } from './project.ts';
import { lineAt } from './scan.ts';

/** The shapes of the secrets that people paste by mistake, each as its issuer forms it. */
const shapes: readonly { readonly what: string; readonly pattern: RegExp }[] = [
  {
    what: 'a Discord bot token',
    pattern: /\b[A-Za-z0-9]{23,28}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,38}\b/g,
  },
  {
    what: 'a Discord webhook address',
    pattern: /discord(?:app)?\.com\/api\/webhooks\/\d{17,20}\/[\w-]{60,}/g,
  },
  { what: 'a provider key', pattern: /\bsk-(?:or-v1-|ant-|proj-)?[A-Za-z0-9_-]{32,}/g },
  { what: 'a GitHub token', pattern: /\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{60,})/g },
  { what: 'an AWS key', pattern: /\bAKIA[0-9A-Z]{16}\b/g },
  { what: 'a private key', pattern: /-----BEGIN [A-Z ]*PRIVATE KEY-----/g },
];

/** Hashes of the lock file look like nothing above, but are long: it is left out. */
const ignored = /(?:^|\/)package-lock\.json$/;

export const credentials: Rule = {
  name: 'credentials',
  why: 'a secret that was committed once is public for ever, and one that looks real alarms',
  check: ({ files }) =>
    files
      .filter(({ path }) => !ignored.test(path))
      .flatMap(({ path, text }) =>
        shapes.flatMap(({ what, pattern }) =>
          [...text.matchAll(pattern)].map(({ index }) => ({
            path,
            line: lineAt(text, index),
            message: `looks like ${what}`,
          })),
        ),
      ),
};
