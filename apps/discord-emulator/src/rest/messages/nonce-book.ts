/**
 * Earlier messages by nonce, for `enforce_nonce` (docs: Create Message): within a few minutes the
 * same author and nonce give the same message again, also when it was deleted since
 * (discord-api-docs#6647).
 */
import type { Clock } from '@starling/clock';
import type { MessagePayload } from '../../core/payloads.ts';
import { BoundedMap } from './bounded-map.ts';

/** Nonces remembered: at 500 messages a second, more than the window of three minutes needs. */
const maxNonces = 100_000;

export class NonceBook {
  readonly #clock: Clock;
  readonly #windowMs: () => number;
  readonly #messages = new BoundedMap<string, { message: MessagePayload; atMs: number }>(
    () => maxNonces,
  );

  constructor(clock: Clock, windowMs: () => number) {
    this.#clock = clock;
    this.#windowMs = windowMs;
  }

  /** The message that was created with this nonce within the window. */
  find(nonce: string | number): MessagePayload | undefined {
    const known = this.#messages.get(String(nonce));
    const fresh = known && this.#clock.monotonicMs() - known.atMs <= this.#windowMs();
    return fresh ? known.message : undefined;
  }

  /** Remembers a created message under its nonce. */
  add(nonce: string | number, message: MessagePayload): void {
    this.#messages.delete(String(nonce));
    this.#messages.set(String(nonce), { message, atMs: this.#clock.monotonicMs() });
  }
}
