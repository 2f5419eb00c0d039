import { readFile } from 'node:fs/promises';

/** A process by the name it has in a report. */
export interface NamedProcess {
  readonly name: string;
  readonly pid: number;
}

/** What a process has used since its start, and holds now. */
export interface Usage {
  /** User and system time of all its threads. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

/** Ticks of proc(5) a second: USER_HZ, which Linux keeps at 100 for programs whatever its own clock. */
const ticksPerSecond = 100;

/**
 * Reads `/proc`.
 * @throws {Error} when the process is gone, or where there is no `/proc`
 */
export async function usageOf(pid: number): Promise<Usage> {
  const [stat, status] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile(`/proc/${pid}/status`, 'utf8'),
  ]);
  // The name in parentheses may hold spaces; after it come state, …, utime and stime (fields 14, 15).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  const kib = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
  return { cpuSeconds: ticks / ticksPerSecond, residentBytes: kib * 1024 };
}

/** CPU seconds that each process used while `work` ran; processes of one name are added up. */
export async function withCpu<T>(
  processes: readonly NamedProcess[],
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly cpuSeconds: Readonly<Record<string, number>> }> {
  const before = await Promise.all(processes.map(({ pid }) => usageOf(pid)));
  const result = await work();
  const after = await Promise.all(processes.map(({ pid }) => usageOf(pid)));
  const cpuSeconds: Record<string, number> = {};
  for (const [index, { name }] of processes.entries()) {
    const used = (after[index]?.cpuSeconds ?? 0) - (before[index]?.cpuSeconds ?? 0);
    cpuSeconds[name] = (cpuSeconds[name] ?? 0) + used;
  }
  return { result, cpuSeconds };
}
