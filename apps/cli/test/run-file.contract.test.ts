import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  AlreadyRunningError,
  claimRunFile,
  type RunFile,
  readRunFile,
} from '../src/fleet/run-file.ts';

const content = (pid: number): RunFile => ({
  pid,
  startedAtMs: 1,
  mode: 'local',
  controlUrl: 'http://127.0.0.1:1',
});
/** Above the kernel's largest process id (PID_MAX_LIMIT, 2^22), so surely dead. */
const deadPid = 5_000_000;

describe('the run file', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'starling-run-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('tells where the running fleet is until it is given back', async () => {
    {
      await using _claim = await claimRunFile(directory, content(process.pid));
      expect(await readRunFile(directory)).toEqual(content(process.pid));
    }
    expect(await readRunFile(directory)).toBeUndefined();
  });

  it('refuses a second start and says where the first one is [I1]', async () => {
    await using _claim = await claimRunFile(directory, content(process.ppid));
    const second = claimRunFile(directory, content(process.pid));
    await expect(second).rejects.toThrow(AlreadyRunningError);
    await expect(second).rejects.toThrow(`process ${process.ppid}`);
  });

  it.each([
    ['of a dead process', JSON.stringify(content(deadPid))],
    ['that is no JSON', '{"pid":'],
    ['of another shape', '[]'],
  ])('takes over a file %s', async (_what, text) => {
    await writeFile(join(directory, 'starling.json'), text);
    expect(await readRunFile(directory)).toBeUndefined();
    await using _claim = await claimRunFile(directory, content(process.pid));
    expect((await readRunFile(directory))?.pid).toBe(process.pid);
  });
});
