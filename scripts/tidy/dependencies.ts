import { posix } from 'node:path';
import { packageNamed } from './imports.ts';
import type { Finding, Manifest, Rule, Source } from './project.ts';
import { lineAt } from './scan.ts';

/** A version, or another package's name at a version: `1.2.3`, `npm:@nats-io/transport-node@3.4.0`. */
const exact = /^(?:npm:(?:@[^/@]+\/)?[^@]+@)?\d+\.\d+\.\d+(?:-[\w.]+)?$/;

export const pinnedVersions: Rule = {
  name: 'pinned versions',
  why: 'a clone of today and one of next year install the same',
  check: ({ manifests }) =>
    manifests.flatMap(({ path, dependencies, devDependencies }) =>
      Object.entries({ ...dependencies, ...devDependencies })
        .filter(([, version]) => !exact.test(version))
        .map(([name, version]) => ({
          path,
          line: 1,
          message: `${name} "${version}" is not exact`,
        })),
    ),
};

export const licences: Rule = {
  name: 'licences',
  why: 'each package says under what licence it may be used',
  check: ({ manifests }) =>
    manifests
      .filter(({ license }) => license !== 'Apache-2.0')
      .map(({ path }) => ({ path, line: 1, message: 'the license field is not Apache-2.0' })),
};

export const doors: Rule = {
  name: 'package doors',
  why: 'an export that points at no file fails only in the hands of whoever imports it',
  check: ({ manifests, paths }) =>
    manifests.flatMap(({ path, home, doors: files }) =>
      Object.values(files)
        .filter((file) => !paths.has(posix.join(home, file)))
        .map((file) => ({ path, line: 1, message: `exports ${file}, which is not there` })),
    ),
};

export const lockfile: Rule = {
  name: 'lock file',
  why: 'a clone installs on any platform, from whatever registry it is set up for',
  check: ({ files }) =>
    files
      .filter(({ path }) => path === 'package-lock.json')
      .flatMap(({ path, text }) => [
        ...downloadAddresses(path, text),
        ...lostPlatforms(path, text),
      ]),
};

function downloadAddresses(path: string, text: string): Finding[] {
  return [...text.matchAll(/"resolved": "(?:https?|git)/g)].map(({ index }) => ({
    path,
    line: lineAt(text, index),
    message: 'a download address: npm install with omit-lockfile-registry-resolved',
  }));
}

/**
 * npm drops an optional package that the registry at hand does not carry (another platform's build)
 * from the lock file, and npm ci then refuses that lock file everywhere.
 */
function lostPlatforms(path: string, text: string): Finding[] {
  const { packages = {} } = JSON.parse(text) as LockFile;
  return Object.entries(packages).flatMap(([at, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter(
        (name) => !(`node_modules/${name}` in packages || `${at}/node_modules/${name}` in packages),
      )
      .map((name) => ({ path, line: 1, message: `${name}, optional for ${at}, has no entry` })),
  );
}

/** The part of a lock file that is read here: packages by where they are installed. */
interface LockFile {
  readonly packages?: Readonly<
    Record<string, { readonly optionalDependencies?: Readonly<Record<string, string>> }>
  >;
}

export const declaredImports: Rule = {
  name: 'declared imports',
  why: 'a package that is imported but not declared works until something else drops it',
  check: ({ sources, manifests }) => {
    const byHome = new Map(manifests.map((manifest) => [manifest.home, manifest]));
    return sources.flatMap((source) => undeclared(source, byHome));
  },
};

function undeclared(source: Source, byHome: ReadonlyMap<string, Manifest>): Finding[] {
  const root = byHome.get('.');
  const home = byHome.get(source.home) ?? root;
  const testTools = { ...root?.devDependencies };
  const known = new Set(
    Object.keys({
      ...home?.dependencies,
      ...(source.forTests || home === root ? { ...testTools, ...home?.devDependencies } : {}),
    }),
  );
  return source.imports.flatMap(({ specifier, line }) => {
    const name = packageNamed(specifier);
    // A package may import itself by name: Node resolves that through its own exports.
    if (name === undefined || known.has(name) || name === home?.name) return [];
    return [{ path: source.path, line, message: `${name} is not declared in ${home?.path}` }];
  });
}
