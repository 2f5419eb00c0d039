import { readFile } from 'node:fs/promises';

/** The processes that a process has started and that still run (proc(5)). */
export async function childrenOf(pid: number): Promise<readonly number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
}

/** A process with everything that it has started, and what those have started. */
export async function familyOf(pid: number): Promise<readonly number[]> {
  const families = await Promise.all((await childrenOf(pid)).map(familyOf));
  return [pid, ...families.flat()];
}

/** Whether a process exists; signal 0 only asks. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
