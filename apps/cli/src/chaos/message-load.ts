/**
 * The open loop: messages are due at fixed times and sent whether or not earlier ones were answered,
 * and every time is counted from when a message was due (no coordinated omission).
 */
import type { Clock } from '@starling/clock';
import type { Said, Saying } from './discord-side.ts';

/** A message that stands in Discord. Times are milliseconds since the load began. */
export interface SaidMessage {
  readonly id: string;
  /** Its number in the load, from 0. */
  readonly n: number;
  readonly userId: string;
  readonly dueMs: number;
  /** When the door had taken it: at most so late did Discord hand it to the bot. */
  readonly saidMs: number;
  /** Gateway sessions that took it, also those that are away and may still resume. */
  readonly owners: number;
}

/** Messages on their way to the door at once. The door answers in milliseconds; at the bound a message counts as unsent. */
const maxOutstanding = 200;

export class MessageLoad {
  readonly messages: SaidMessage[] = [];
  /** Messages that were due and never stood in Discord: the load was not what it claims to be. */
  unsent = 0;
  readonly #clock: Clock;
  readonly #startMs: number;
  readonly #say: (saying: Saying) => Promise<Said>;
  readonly #speaker: (n: number) => Saying;
  readonly #onSaid: (message: SaidMessage) => void;
  readonly #outstanding = new Set<Promise<void>>();

  constructor(parts: {
    readonly clock: Clock;
    readonly say: (saying: Saying) => Promise<Said>;
    readonly speaker: (n: number) => Saying;
    /** Told of each message that stands. */
    readonly onSaid?: (message: SaidMessage) => void;
  }) {
    this.#clock = parts.clock;
    this.#startMs = parts.clock.monotonicMs();
    this.#say = parts.say;
    this.#speaker = parts.speaker;
    this.#onSaid = parts.onSaid ?? (() => {});
  }

  /** Milliseconds since the load began. */
  elapsedMs(): number {
    return this.#clock.monotonicMs() - this.#startMs;
  }

  /** Sends at the given rate until the signal fires, then waits for what is on its way to the door. */
  async run(options: { readonly perSecond: number; readonly signal: AbortSignal }): Promise<void> {
    const { perSecond, signal } = options;
    for (let n = 0; !signal.aborted; n += 1) {
      const dueMs = (n * 1000) / perSecond;
      const waitMs = dueMs - this.elapsedMs();
      if (waitMs > 0) await this.#clock.sleep(waitMs, { signal }).catch(() => {});
      if (!signal.aborted) this.#send(n, dueMs);
    }
    await Promise.all(this.#outstanding);
  }

  #send(n: number, dueMs: number): void {
    if (this.#outstanding.size >= maxOutstanding) {
      this.unsent += 1;
      return;
    }
    const saying = this.#speaker(n);
    const sending = this.#say(saying).then(
      ({ messageId: id, owners }) => {
        const { userId } = saying;
        const message = { id, n, userId, dueMs, saidMs: this.elapsedMs(), owners };
        this.messages.push(message);
        this.#onSaid(message);
      },
      () => {
        this.unsent += 1;
      },
    );
    this.#outstanding.add(sending);
    void sending.finally(() => this.#outstanding.delete(sending));
  }
}
