import { posix } from 'node:path';
import type { Project, Rule, Source } from './project.ts';

const isTest = (path: string) => /(?:^|\/)test\/.*\.test\.ts$/.test(path);
/** Types for a package that has none: the compiler takes them in, nobody imports them. */
const isAmbient = (path: string) => path.endsWith('.d.ts');
const isConfig = (path: string) => /^[^/]+\.config\.ts$/.test(path);
const isMain = (path: string) => /^apps\/[^/]+\/src\/main\.ts$/.test(path);

/**
 * Files that nothing reaches from an entry: a package's doors, an app's main, a test, a tool's
 * configuration, or a path that a script, a shell file or another source names in a string (child
 * processes are started by path). A source that only tests reach counts as dead too: it is built
 * and tested, but no part of the product.
 */
export const deadFiles: Rule = {
  name: 'dead files',
  why: 'code that nothing uses is read, maintained and believed',
  check(project) {
    const byPath = new Map(project.sources.map((source) => [source.path, source]));
    const tests = project.sources.map(({ path }) => path).filter(isTest);
    const product = spread(entries(project), byPath);
    const all = spread([...product, ...tests], byPath);
    return project.sources.flatMap(({ path, forTests }) => {
      if (product.has(path) || (all.has(path) && forTests)) return [];
      const message = all.has(path)
        ? 'only tests reach it: wire it in, or move it to the tests'
        : 'nothing imports it and it is no entry';
      return [{ path, line: 1, message }];
    });
  },
};

/** Everything that can be reached from some paths, themselves included. */
function spread(from: readonly string[], byPath: ReadonlyMap<string, Source>): Set<string> {
  const alive = new Set<string>();
  const waiting = [...from];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const source = byPath.get(path);
    if (source === undefined || alive.has(path)) continue;
    alive.add(path);
    waiting.push(...reached(source));
  }
  return alive;
}

function entries({ sources, manifests, files }: Project): string[] {
  const shell = files.filter(({ path }) => path.endsWith('.sh') || path.startsWith('.ci/'));
  const commands = [
    ...manifests.flatMap(({ scripts }) => Object.values(scripts)),
    ...shell.map(({ text }) => text),
  ];
  return [
    ...sources
      .map(({ path }) => path)
      .filter((path) => isConfig(path) || isAmbient(path) || isMain(path)),
    ...manifests.flatMap(({ home, doors }) =>
      Object.values(doors).map((file) => posix.join(home, file)),
    ),
    ...commands.flatMap((command) => command.match(/[\w./-]+\.ts\b/g) ?? []),
  ];
}

/** Every `.ts` path that a file's strings name, from its own folder or from the root. */
function reached({ path, literals }: Source): string[] {
  return literals
    .filter(({ text }) => text.endsWith('.ts'))
    .flatMap(({ text }) => [posix.join(posix.dirname(path), text), posix.normalize(text)]);
}
