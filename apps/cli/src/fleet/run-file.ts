/**
 * The run file says where the running fleet is, so that `say` finds it and a second start does not
 * begin beside it. It is created exclusively: of two starts at once one wins.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';

const runFile = z.object({
  pid: z.int().positive(),
  startedAtMs: z.number(),
  mode: z.enum(['local', 'embedded']),
  /** Loopback address of the status page and the exchanges. */
  controlUrl: z.url(),
  /** The emulator's door for people; absent with the real Discord. */
  peopleUrl: z.url().optional(),
  /** The server that has the jobs; absent in embedded mode. */
  natsUrl: z.url().optional(),
});

export type RunFile = z.infer<typeof runFile>;

const pathOf = (directory: string) => join(directory, 'starling.json');

/** A fleet runs already; says which. */
export class AlreadyRunningError extends Error {
  override readonly name = 'AlreadyRunningError';
  readonly running: RunFile;

  constructor(running: RunFile) {
    super(
      `Starling runs already (${running.mode}, process ${running.pid}, status at ${running.controlUrl}). Stop it with Ctrl-C in its terminal, or with: kill ${running.pid}`,
    );
    this.running = running;
  }
}

/** The fleet that runs now, if its process is alive. */
export async function readRunFile(directory: string): Promise<RunFile | undefined> {
  let text: string;
  try {
    text = await readFile(pathOf(directory), 'utf8');
  } catch {
    return undefined;
  }
  const parsed = runFile.safeParse(parseJson(text));
  return parsed.success && isAlive(parsed.data.pid) ? parsed.data : undefined;
}

/**
 * Claims the folder for this process; disposing gives it back.
 * @throws {AlreadyRunningError} when a live process holds it
 */
export async function claimRunFile(directory: string, content: RunFile): Promise<AsyncDisposable> {
  const path = pathOf(directory);
  await mkdir(dirname(path), { recursive: true });
  const text = `${JSON.stringify(content)}\n`;
  try {
    await writeFile(path, text, { flag: 'wx' });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    const running = await readRunFile(directory);
    if (running && running.pid !== content.pid) throw new AlreadyRunningError(running);
    await rm(path, { force: true });
    await writeFile(path, text, { flag: 'wx' });
  }
  return { [Symbol.asyncDispose]: () => rm(path, { force: true }) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Signal 0 asks only whether the process exists; EPERM means it does, under another user. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
