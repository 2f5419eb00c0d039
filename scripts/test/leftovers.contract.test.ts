import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { endLeftovers, leftovers, runVariable } from '../test-run/leftovers.ts';

/** A process that says when it runs, then waits for ever. */
const program = "process.stdout.write('up'); process.stdin.resume(); setInterval(() => {}, 1e6);";

describe('processes left behind', () => {
  it('finds a grandchild of the run by its environment, ends it, and then finds none', async () => {
    const runId = `test-${process.pid}`;
    const child = spawn(process.execPath, ['-e', program], {
      env: { [runVariable]: runId },
      stdio: ['pipe', 'pipe', 'ignore'],
      detached: true,
    });
    await once(child.stdout, 'data');

    const found = await leftovers(runId, { graceMs: 0 });
    expect(found).toEqual([{ pid: child.pid, command: expect.stringContaining('process.stdin') }]);

    const closed = once(child, 'close');
    endLeftovers(found);
    await closed;
    expect(await leftovers(runId)).toEqual([]);
  });

  it('leaves the processes of another run alone', async () => {
    expect(await leftovers(`nobody-${process.pid}`)).toEqual([]);
  });

  it('takes a process that has just ended for what it is', () => {
    expect(() => endLeftovers([{ pid: 2 ** 22 + 1, command: 'gone' }])).not.toThrow();
  });
});
