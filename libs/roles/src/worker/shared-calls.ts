import type { CallKey } from '@starling/contracts';
import type { Provider } from '@starling/llm';
import { type Seat, SharedCall } from './shared-call.ts';

/**
 * The calls of a worker that jobs may share, by their key. Who may share, and for how long an answer is
 * kept, the worker's core decides; here is only what they read.
 */
export class SharedCalls {
  readonly #provider: Provider;
  readonly #onEnd: (ended: {
    readonly callKey: CallKey;
    readonly characters: number | undefined;
  }) => void;
  readonly #calls = new Map<CallKey, SharedCall>();

  /** @param parts.onEnd told of each call that ended, before those who read it find out */
  constructor(parts: {
    readonly provider: Provider;
    readonly onEnd: (ended: {
      readonly callKey: CallKey;
      readonly characters: number | undefined;
    }) => void;
  }) {
    this.#provider = parts.provider;
    this.#onEnd = parts.onEnd;
  }

  /** Calls that stream, or whose answer is kept. */
  get size(): number {
    return this.#calls.size;
  }

  /** A place at the call of this key; a new call if there is none that can be shared. */
  sit(callKey: CallKey): Seat {
    const known = this.#calls.get(callKey);
    if (known) return known.sit();
    const call = new SharedCall({
      provider: this.#provider,
      onEnd: (characters) => {
        if (this.#calls.get(callKey) !== call) return;
        if (characters === undefined) this.#calls.delete(callKey);
        this.#onEnd({ callKey, characters });
      },
    });
    this.#calls.set(callKey, call);
    return call.sit();
  }

  /** The answer is kept no longer; whoever reads it goes on. */
  forget(callKey: CallKey): void {
    this.#calls.delete(callKey);
  }
}
