/**
 * Child processes that do not outlive us: the kernel kills them with their parent where `setpriv` is
 * there (prctl(2), PR_SET_PDEATHSIG; it survives exec and needs no root), and an exit hook kills them
 * when we end in order. Each has a process group of its own, so that Ctrl-C in a terminal reaches us
 * alone and we end the children in our order.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import type { Clock } from '@starling/clock';
import { OutputRing } from './output-ring.ts';

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** What is kept of a process's output: enough for a long stack trace or a start-up log. */
const maxOutputBytes = 262_144;
const alive = new Set<BoundProcess>();
let hooked = false;
let deathSignal: readonly string[] | undefined;

/** `setpriv`'s words, or none where it is missing or too old. */
function withDeathSignal(): readonly string[] {
  const words = ['setpriv', '--pdeathsig', 'KILL', '--'];
  deathSignal ??=
    spawnSync('setpriv', ['--pdeathsig', 'KILL', '--', 'true']).status === 0 ? words : [];
  return deathSignal;
}

/** A running child, its output and its end. */
export class BoundProcess {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #output = new OutputRing(maxOutputBytes);
  #exit: Exit | undefined;

  /**
   * @param options.ipc opens Node's IPC channel; its messages go to `onMessage`
   * @throws {Error} when the program cannot be started at all
   */
  constructor(options: {
    readonly command: string;
    readonly args: readonly string[];
    readonly env: Readonly<Record<string, string>>;
    readonly cwd?: string;
    readonly onOutput?: (text: string) => void;
    readonly onMessage?: (message: unknown) => void;
  }) {
    const [program = options.command, ...args] = [
      ...withDeathSignal(),
      options.command,
      ...options.args,
    ];
    const child = spawn(program, args, {
      env: options.env,
      cwd: options.cwd,
      detached: true,
      stdio: options.onMessage ? ['ignore', 'pipe', 'pipe', 'ipc'] : ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.exited = new Promise((resolve) => {
      const ended = (exit: Exit) => {
        if (this.#exit) return;
        this.#exit = exit;
        alive.delete(this);
        resolve(exit);
      };
      child.once('error', (error) => {
        this.#output.write(Buffer.from(`${error.message}\n`));
        if (child.pid === undefined) ended({ code: 127, signal: null });
      });
      // `exit` and not `close`: a grandchild that keeps the pipes open must not hide the end.
      child.once('exit', (code, signal) => ended({ code, signal }));
    });
    this.pid = child.pid ?? 0;
    if (child.pid !== undefined) bind(this);
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#output.write(chunk);
        options.onOutput?.(chunk.toString('utf8'));
      });
    }
    if (options.onMessage) child.on('message', options.onMessage);
  }

  /** How it ended, or undefined while it runs. */
  get exit(): Exit | undefined {
    return this.#exit;
  }

  /** The end of what it printed. */
  output(): string {
    return this.#output.text();
  }

  /** The last lines of what it printed, for an error message. */
  lastLines(count: number): string {
    return this.#output.lastLines(count);
  }

  /** Sends a signal to the process itself, if it still runs. */
  signal(signal: NodeJS.Signals): void {
    if (!this.#exit) this.#child.kill(signal);
  }

  /** Kills what is left of its process group: itself, and children of its own that it left behind. */
  killGroup(): void {
    if (this.pid === 0) return;
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      // Nobody of the group is left.
    }
  }

  /** SIGTERM, then SIGKILL after `graceMs`; resolves when it is gone and its group with it. */
  async end(options: { readonly graceMs: number; readonly clock: Clock }): Promise<Exit> {
    this.signal('SIGTERM');
    // A process that was stopped takes no SIGTERM until it goes on.
    this.signal('SIGCONT');
    using _force = options.clock.schedule(options.graceMs, () => this.signal('SIGKILL'));
    const exit = await this.exited;
    this.killGroup();
    return exit;
  }
}

function bind(one: BoundProcess): void {
  alive.add(one);
  if (hooked) return;
  hooked = true;
  process.once('exit', () => {
    for (const process of alive) process.killGroup();
  });
}
