import { type Literal, lineAt, type Scan } from './scan.ts';

/** One import of a module, static, dynamic or re-exported. */
export interface Import {
  /** What stands between the quotes: `./x.ts`, `@starling/bus`, `node:fs`. */
  readonly specifier: string;
  readonly line: number;
}

/** What stands right before the quotes of an import's path. */
const leadsToPath = /(?:\bfrom|\bimport|\bimport\s*\(|\bimport\.meta\.resolve\s*\()\s*$/;

/** How far back from the opening quote the keyword is looked for. */
const lookBehind = 40;

/** The imports of a scanned file, in order. */
export function importsOf(text: string, { code, literals }: Scan): Import[] {
  const isPath = (literal: Literal) =>
    leadsToPath.test(code.slice(Math.max(0, literal.start - lookBehind), literal.start));
  return literals
    .filter(isPath)
    .map((literal) => ({ specifier: literal.text, line: lineAt(text, literal.start) }));
}

/** The package an import names, without its subpath; undefined for relative and `node:` imports. */
export function packageNamed(specifier: string): string | undefined {
  if (/^[./#]|^node:/.test(specifier)) return undefined;
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0];
}
