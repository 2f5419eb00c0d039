import { readFileSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { freshClone, npmDoes } from './clone-fixture.ts';

const { install, bringNode, fail } = npmDoes;
const asked = (folder: string) => readFileSync(join(folder, 'asked'), 'utf8').trimEnd().split('\n');

describe('set-up', () => {
  it('installs on a fresh clone, once, and then keeps silent [I1]', () => {
    using clone = freshClone({ ci: `${install}; ${bringNode}` });
    const first = clone.sh('scripts/setup.sh');
    expect(first).toMatchObject({ status: 0, stdout: '' });
    expect(first.stderr).toContain('installing 1 packages');
    expect(clone.sh('scripts/setup.sh')).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(asked(clone.folder)).toEqual([expect.stringMatching(/^ci .*--include=dev/)]);
  });

  it('installs again when the lock file is newer than what is installed', () => {
    using clone = freshClone({ ci: `${install}; ${bringNode}` });
    clone.sh('scripts/setup.sh');
    const past = new Date('2020-01-01T00:00:00Z');
    utimesSync(join(clone.folder, 'node_modules/.package-lock.json'), past, past);
    clone.sh('scripts/setup.sh');
    expect(asked(clone.folder)).toHaveLength(2);
  });

  it('installs again when an earlier install was cut off', () => {
    using clone = freshClone({ ci: `${install}; ${bringNode}` });
    clone.sh('scripts/setup.sh');
    rmSync(join(clone.folder, 'node_modules/.package-lock.json'));
    clone.sh('scripts/setup.sh');
    expect(asked(clone.folder)).toHaveLength(2);
  });

  it('fetches Node alone when npm left its install script out', () => {
    using clone = freshClone({ ci: install, rebuild: bringNode });
    expect(clone.sh('scripts/setup.sh')).toMatchObject({ status: 0, stdout: '' });
    expect(asked(clone.folder).map((line) => line.split(' ', 1)[0])).toEqual(['ci', 'rebuild']);
  });

  it.each([
    ['the disk', fail('code ENOSPC'), /disk is full/],
    ['a permission', fail('code EACCES'), /permission is missing/],
    ['the registry', fail('code ENOTFOUND'), /registry was not reached/],
    ['Node’s download', install, /Node 24 is not there/],
  ])('says plainly that %s failed, and fails', (_what, ci, message) => {
    using clone = freshClone({ ci });
    const result = clone.sh('scripts/setup.sh');
    expect(result).toMatchObject({ status: 1, stdout: '' });
    expect(result.stderr).toMatch(message);
  });

  it('says how to get npm when there is none', () => {
    using clone = freshClone(undefined);
    const result = clone.sh('scripts/setup.sh');
    expect(result).toMatchObject({ status: 1, stdout: '' });
    expect(result.stderr).toContain('npm is not installed');
  });
});

describe('run', () => {
  it('sets up, then becomes the program: its output, its arguments, its exit code', () => {
    using clone = freshClone({ ci: `${install}; ${bringNode}` });
    const result = clone.sh('scripts/run.sh', 'apps/x.ts', '--message', 'two words');
    expect(result.status).toBe(3);
    expect(result.stdout).toBe(`node ran ${clone.folder}/apps/x.ts --message two words\n`);
  });

  it('does not run the program when the set-up failed', () => {
    using clone = freshClone({ ci: fail('no') });
    expect(clone.sh('scripts/run.sh', 'apps/x.ts')).toMatchObject({ status: 1, stdout: '' });
  });
});
