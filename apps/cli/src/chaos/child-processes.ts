import { readFile, readlink } from 'node:fs/promises';

/**
 * The children of a process by `/proc` (proc(5)), in the order of their start; none where the process
 * is gone.
 */
export async function childProcesses(pid: number): Promise<readonly number[]> {
  try {
    const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text.split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** The folder that a process works in. @throws when it is gone */
export function workingFolder(pid: number): Promise<string> {
  return readlink(`/proc/${pid}/cwd`);
}
