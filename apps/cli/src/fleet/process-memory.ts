import { readFile } from 'node:fs/promises';

/** More descendants than any part has; a bound against a loop in a changing process table. */
const maxProcesses = 200;

/**
 * Resident memory of a process and everything it started, in bytes, from `/proc` (proc(5)); shared
 * pages count once for each process. Undefined where there is no `/proc` or the process is gone.
 */
export async function residentBytes(pid: number): Promise<number | undefined> {
  const waiting = [pid];
  let bytes: number | undefined;
  for (let seen = 0; seen < maxProcesses; seen += 1) {
    const next = waiting.pop();
    if (next === undefined) break;
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(await read(`/proc/${next}/status`))?.[1];
    if (kib !== undefined) bytes = (bytes ?? 0) + Number(kib) * 1024;
    const children = await read(`/proc/${next}/task/${next}/children`);
    waiting.push(...children.split(' ').filter(Boolean).map(Number));
  }
  return bytes;
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return '';
  }
}
