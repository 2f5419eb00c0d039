import { posix } from 'node:path';
import { packageNamed } from './imports.ts';
import type { Finding, Manifest, Project, Rule, Source } from './project.ts';

/**
 * The libraries from the ground up: each may import only those before it. `sim` and `harness` stand
 * on top and serve tests, the cli, the benchmarks and the scripts alone.
 */
const libraryOrder = [
  'clock',
  'contracts',
  'config',
  'lifecycle',
  'telemetry',
  'bus',
  'redis',
  'cache',
  'leases',
  'buckets',
  'balance',
  'jobs',
  'pool',
  'llm',
  'chat',
  'discord',
  'roles',
  'harness',
  'sim',
];

const forTestsOnly = new Set(['harness', 'sim']);

/** Programs that run whole fleets: for an operator, and to measure them. */
const fleetRunners = new Set(['apps/cli', 'apps/bench']);

const libraryOf = (home: string) => /^libs\/(.+)$/.exec(home)?.[1];

/** May this file use what is made for tests: the harness, the simulation, the testing doors? */
function mayUseTestParts(source: Source): boolean {
  const library = libraryOf(source.home);
  return (
    source.forTests ||
    fleetRunners.has(source.home) ||
    source.home === 'scripts' ||
    source.home === '.' ||
    (library !== undefined && forTestsOnly.has(library))
  );
}

/** The packages of the workspace by name. */
type Packages = ReadonlyMap<string, Manifest>;

function whyNot(source: Source, specifier: string, packages: Packages): string | undefined {
  if (specifier.startsWith('.')) return outsideItsPackage(source, specifier);
  const named = packageNamed(specifier);
  if (!named?.startsWith('@starling/')) return undefined;
  const target = named.slice('@starling/'.length);
  const door = specifier.slice(named.length + 1);
  const manifest = packages.get(named);
  const exported = manifest?.doors[door === '' ? '.' : `./${door}`] !== undefined;

  if (manifest?.home.startsWith('apps/')) {
    if (door === 'testing' && exported && source.forTests) return undefined;
    return `imports the app ${target}: nothing imports an app`;
  }
  if (!exported) return `${specifier} is no door of ${named}`;
  if (door === 'testing' || forTestsOnly.has(target)) {
    return mayUseTestParts(source)
      ? undefined
      : `imports ${specifier}, which only tests, the cli, benchmarks and scripts may use`;
  }
  return againstTheArrow(source, target);
}

function againstTheArrow(source: Source, target: string): string | undefined {
  const to = libraryOrder.indexOf(target);
  if (to === -1) return `imports ${target}, which has no place in the order of libraries`;
  const library = libraryOf(source.home);
  if (library === undefined) return undefined;
  const from = libraryOrder.indexOf(library);
  if (from === -1) return `lies in ${library}, which has no place in the order of libraries`;
  if (to < from) return undefined;
  if (to === from) return `imports its own package by name: use a relative path`;
  return `imports ${target}, which stands above ${library}`;
}

/** The folders of the roles, which share contracts and nothing else. */
const roleFolder = /^libs\/roles\/src\/(bot|balancer|worker)\//;

function outsideItsPackage(source: Source, specifier: string): string | undefined {
  const resolved = posix.join(posix.dirname(source.path), specifier);
  const role = roleFolder.exec(source.path)?.[1];
  const other = roleFolder.exec(resolved)?.[1];
  if (role !== undefined && other !== undefined && role !== other) {
    return `the role ${role} imports the role ${other}: what they share belongs further down`;
  }
  if (source.home === '.' || resolved.startsWith(`${source.home}/`)) return undefined;
  return `reaches out of its package to ${resolved}: import the package by name`;
}

export const layers: Rule = {
  name: 'layers',
  why: 'arrows between libraries point one way, and an app is nobody’s dependency',
  check(project: Project): Finding[] {
    const packages = new Map(project.manifests.map((manifest) => [manifest.name, manifest]));
    return project.sources.flatMap((source) =>
      source.imports.flatMap(({ specifier, line }) => {
        const message = whyNot(source, specifier, packages);
        return message === undefined ? [] : [{ path: source.path, line, message }];
      }),
    );
  },
};
