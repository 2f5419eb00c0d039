import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { withEnvFile } from '../src/index.ts';

let path: string;
beforeEach(async () => {
  path = join(await mkdtemp(join(tmpdir(), 'starling-config-')), '.env');
});
afterEach(() => rm(join(path, '..'), { recursive: true }));

it('adds what the file has, and keeps what is set already', async () => {
  await writeFile(path, 'A=file\nB=file\n');
  expect(withEnvFile({ A: 'set' }, path)).toEqual({ A: 'set', B: 'file' });
});

it('does without a file', () => {
  expect(withEnvFile({ A: 'set' }, path)).toEqual({ A: 'set' });
});

it('says when the file cannot be read', async () => {
  await mkdir(path);
  expect(() => withEnvFile({}, path)).toThrow(/make it a readable file, or remove it \(EISDIR\)/);
});
