import type { Bus } from '@starling/bus';
import type { Clock } from '@starling/clock';

/** A third of the queue's ack wait: two signals may be lost before the job is delivered again. */
const progressEveryMs = 5_000;

/**
 * Keeps one delivery of the work queue alive by a progress signal every 5 s, until it is settled or
 * disposed. What nobody keeps any more is delivered again after the ack wait: that is how a crash
 * loses nothing.
 */
export class KeptDelivery implements Disposable {
  readonly #bus: Pick<Bus, 'settle'>;
  readonly #clock: Clock;
  #receipt: string;
  #timer: Disposable;

  constructor(
    parts: { readonly bus: Pick<Bus, 'settle'>; readonly clock: Clock },
    receipt: string,
  ) {
    this.#bus = parts.bus;
    this.#clock = parts.clock;
    this.#receipt = receipt;
    this.#timer = this.#tick();
  }

  /** The job was delivered again in the meantime: from now on this receipt counts. */
  adopt(receipt: string): void {
    this.#receipt = receipt;
  }

  get receipt(): string {
    return this.#receipt;
  }

  /** Gives the job back to the queue, to be delivered after `delayMs`, and keeps it no longer. */
  async giveBack(delayMs: number): Promise<void> {
    this[Symbol.dispose]();
    // If the queue cannot be told, the ack wait does the same, only later.
    await this.#bus.settle(this.#receipt, { kind: 'retry', delayMs }).catch(() => {});
  }

  /**
   * The job is done: it leaves the queue.
   * @throws {BusError} when the queue cannot be told now; the delivery is kept until disposed
   */
  async acknowledge(): Promise<void> {
    await this.#bus.settle(this.#receipt, { kind: 'ack' });
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
  }

  #tick(): Disposable {
    return this.#clock.schedule(progressEveryMs, () => {
      this.#timer = this.#tick();
      // A signal that did not get through is one of the two that may be lost.
      this.#bus.settle(this.#receipt, { kind: 'progress' }).catch(() => {});
    });
  }
}
