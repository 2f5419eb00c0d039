import { projectOf, type Rule } from '../tidy/project.ts';

/** A work tree written as path → text, with the findings of one rule as `path:line message`. */
export function findings(rule: Rule, files: Readonly<Record<string, string>>): string[] {
  const project = projectOf(Object.entries(files).map(([path, text]) => ({ path, text })));
  return rule.check(project).map(({ path, line, message }) => `${path}:${line} ${message}`);
}

/** A package.json as text. */
export function manifest(name: string, fields: object = {}): string {
  return JSON.stringify({ name, license: 'Apache-2.0', ...fields });
}
