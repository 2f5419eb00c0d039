import { readdirSync, readFileSync } from 'node:fs';
import { systemClock } from '@starling/clock';

/** The variable that every process of one test run inherits, so that a lost one is known by it. */
export const runVariable = 'STARLING_TEST_RUN';

/** A process that outlived what started it. */
export interface Leftover {
  readonly pid: number;
  readonly command: string;
}

/** A process that was told to end may need a moment; a server flushes its files. */
const defaultGraceMs = 3_000;
const pollMs = 100;

/** The processes of a run that still live after a grace. None are seen where there is no `/proc`. */
export async function leftovers(
  runId: string,
  { graceMs = defaultGraceMs } = {},
): Promise<Leftover[]> {
  const untilMs = systemClock.monotonicMs() + graceMs;
  let found = marked(runId);
  while (found.length > 0 && systemClock.monotonicMs() < untilMs) {
    await systemClock.sleep(pollMs);
    found = marked(runId);
  }
  return found;
}

/** Ends them by their ids, at once. */
export function endLeftovers(found: readonly Leftover[]): void {
  for (const { pid } of found) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** Linux shows each process's first environment; others' processes and zombies show nothing. */
function marked(runId: string): Leftover[] {
  const marker = `${runVariable}=${runId}\0`;
  return list('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => read(`/proc/${pid}/environ`).includes(marker))
    .map((pid) => ({
      pid: Number(pid),
      command: read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim(),
    }));
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
