import type { Simulation } from '../kernel/simulation.ts';

/**
 * A process that can be stopped, killed and cut off. While it is paused what arrives and what falls due
 * waits; when it dies all of that is gone, and nothing of an earlier life reaches a later one.
 */
export class Node {
  readonly name: string;
  readonly #simulation: Simulation;
  readonly #waiting: (() => void)[] = [];
  #life = 0;
  #alive = false;
  #paused = false;
  /** Since when it has run without a pause or a death. */
  #healthySinceMs = 0;
  /** How far its host's clock is ahead of the true time, milliseconds; a process reads it at its start. */
  clockAheadMs = 0;
  #aheadMs = 0;

  constructor(name: string, simulation: Simulation) {
    this.name = name;
    this.#simulation = simulation;
  }

  get alive(): boolean {
    return this.#alive;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Grows with each start. */
  get life(): number {
    return this.#life;
  }

  /** What the process takes for the time: its host's clock at its start, carried on by the monotonic one. */
  get nowMs(): number {
    return this.#simulation.nowMs + this.#aheadMs;
  }

  /** How long it has been running without a pause, milliseconds; 0 when it does not. */
  get healthyMs(): number {
    return this.#alive && !this.#paused ? this.#simulation.nowMs - this.#healthySinceMs : 0;
  }

  start(): void {
    this.#life += 1;
    this.#alive = true;
    this.#aheadMs = this.clockAheadMs;
    this.#paused = false;
    this.#healthySinceMs = this.#simulation.nowMs;
  }

  /** kill -9. */
  die(): void {
    this.#alive = false;
    this.#paused = false;
    this.#waiting.length = 0;
  }

  /** SIGSTOP. */
  pause(): void {
    if (this.#alive) this.#paused = true;
  }

  /** SIGCONT: what waited happens now, in its order. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#healthySinceMs = this.#simulation.nowMs;
    for (const action of this.#waiting.splice(0)) this.do(action);
  }

  /** Something arrives or falls due now. */
  do(action: () => void): void {
    if (!this.#alive) return;
    if (this.#paused) this.#waiting.push(action);
    else action();
  }

  /** Plans something of this life. */
  after(delayMs: number, action: () => void): void {
    const life = this.#life;
    this.#simulation.after(delayMs, () => {
      if (life === this.#life) this.do(action);
    });
  }

  /** Plans something of this life again and again. A pause skips beats, as a timer does. */
  every(periodMs: number, action: () => void): void {
    const life = this.#life;
    let pending = false;
    this.#simulation.every(periodMs, this.#simulation.random.next() * periodMs, () => {
      if (life !== this.#life || !this.#alive) return false;
      if (pending) return true;
      pending = true;
      this.do(() => {
        pending = false;
        action();
      });
      return true;
    });
  }
}
