/**
 * What the rules look at: the texts of a work tree, scanned once. Built from data, so that a rule's
 * test plants its violation as a string.
 */
import { posix } from 'node:path';
import { type Import, importsOf } from './imports.ts';
import { type Scan, scan } from './scan.ts';

/** A file as it is stored, by its path from the root with forward slashes. */
export interface TextFile {
  readonly path: string;
  readonly text: string;
}

/** A TypeScript file. */
export interface Source extends TextFile, Scan {
  /** Folder of the nearest package: `libs/bus`, `apps/cli`, `scripts`, or `.` for the root. */
  readonly home: string;
  /** In a `test/` folder, or a package's door for tests (`src/testing.ts`, `src/testing/`). */
  readonly forTests: boolean;
  readonly imports: readonly Import[];
}

/** A `package.json`, with the parts that rules read. */
export interface Manifest {
  readonly path: string;
  readonly home: string;
  readonly name: string;
  readonly license: string | undefined;
  readonly scripts: Readonly<Record<string, string>>;
  /** `exports`: the names of its doors (`.`, `./testing`) and the files behind them. */
  readonly doors: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

export interface Project {
  readonly files: readonly TextFile[];
  readonly sources: readonly Source[];
  readonly manifests: readonly Manifest[];
  /** Every path that exists: files and the folders above them. */
  readonly paths: ReadonlySet<string>;
}

/** One thing to put right. */
export interface Finding {
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

/** A law of this repository: a name, why it is held, and a pure check. */
export interface Rule {
  readonly name: string;
  readonly why: string;
  check(project: Project): Finding[];
}

/** Scans the texts of a work tree. */
export function projectOf(files: readonly TextFile[]): Project {
  const paths = new Set<string>(['.']);
  for (const { path } of files) {
    for (let up = path; up !== '.'; up = posix.dirname(up)) paths.add(up);
  }
  return {
    files,
    sources: files.filter(({ path }) => path.endsWith('.ts')).map(sourceOf),
    manifests: files.filter(({ path }) => posix.basename(path) === 'package.json').map(manifestOf),
    paths,
  };
}

function sourceOf({ path, text }: TextFile): Source {
  const scanned = scan(text);
  return {
    path,
    text,
    ...scanned,
    home: homeOf(path),
    forTests: /(?:^|\/)test\/|\/src\/testing(?:\/|\.ts$)/.test(path),
    imports: importsOf(text, scanned),
  };
}

function homeOf(path: string): string {
  const [top = '.', name] = path.split('/');
  if (top === 'apps' || top === 'libs') return `${top}/${name}`;
  return top === 'scripts' ? top : '.';
}

function manifestOf({ path, text }: TextFile): Manifest {
  const json = JSON.parse(text) as Record<string, unknown>;
  const table = (key: string) => (json[key] ?? {}) as Record<string, string>;
  return {
    path,
    home: posix.dirname(path),
    name: String(json.name),
    license: typeof json.license === 'string' ? json.license : undefined,
    scripts: table('scripts'),
    doors: table('exports'),
    dependencies: table('dependencies'),
    devDependencies: table('devDependencies'),
  };
}
