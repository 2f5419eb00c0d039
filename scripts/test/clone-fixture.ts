import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../work-tree.ts';

/** A program that answers as Node 24 does, and otherwise says what it was given. */
const node24 =
  '#!/bin/sh\n[ "$1" = --version ] && echo v24.0.0 && exit\necho "node ran $*"\nexit 3\n';

/** What the pretended npm does when asked for `ci` and for `rebuild`. */
export interface PretendedNpm {
  readonly ci: string;
  readonly rebuild?: string;
}

/** Shell lines for {@link PretendedNpm}. */
export const npmDoes = {
  install: 'mkdir -p node_modules/.bin && touch node_modules/.package-lock.json',
  bringNode: 'cp node24 node_modules/.bin/node',
  fail: (reason: string) => `echo "npm error ${reason}"; exit 1`,
};

/** A fresh clone in a temporary folder, with an npm that only pretends. */
export function freshClone(npm: PretendedNpm | undefined) {
  const folder = mkdtempSync(join(tmpdir(), 'starling-clone-'));
  const path = join(folder, 'bin');
  mkdirSync(join(folder, 'scripts'));
  mkdirSync(path);
  for (const name of ['setup.sh', 'run.sh']) {
    copyFileSync(join(root, 'scripts', name), join(folder, 'scripts', name));
  }
  writeFileSync(join(folder, 'package-lock.json'), '"node_modules/a"\n');
  program(join(folder, 'node24'), node24);
  if (npm) {
    const cases = `case "$1" in ci) ${npm.ci} ;; rebuild) ${npm.rebuild ?? 'true'} ;; esac`;
    program(join(path, 'npm'), `#!/bin/sh\necho "$*" >>asked\n${cases}\n`);
  }
  for (const tool of [
    'date',
    'dirname',
    'find',
    'flock',
    'grep',
    'head',
    'mkdir',
    'rm',
    'sed',
    'sh',
  ]) {
    link(tool, path);
  }
  // Time costs nothing here: the pretended npm is done at once.
  program(join(path, 'sleep'), '#!/bin/sh\n');
  for (const tool of ['tail', 'touch', 'cp', 'uname', 'tr', 'cat']) link(tool, path);
  return {
    folder,
    /** Runs a script of the clone with nothing but the pretended npm and the shell's tools. */
    sh(...args: string[]) {
      const { status, stdout, stderr } = spawnSync('/bin/sh', args, {
        cwd: folder,
        env: { PATH: path },
        encoding: 'utf8',
      });
      return { status, stdout, stderr };
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function program(path: string, text: string): void {
  writeFileSync(path, text);
  chmodSync(path, 0o755);
}

function link(tool: string, into: string): void {
  const found = execFileSync('/bin/sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).trim();
  execFileSync('ln', ['-s', found, join(into, tool)]);
}
