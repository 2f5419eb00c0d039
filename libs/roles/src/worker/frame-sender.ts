import type { Messaging } from '@starling/bus';
import type { Clock } from '@starling/clock';
import {
  encode,
  type Frame,
  frameContract,
  type Headers,
  type OwnerId,
  type Resend,
  subjects,
} from '@starling/contracts';
import { counter } from '@starling/telemetry';
import { FrameRing } from './frame-ring.ts';

/** Text of this many characters goes out without waiting for more. */
const fullFrameLength = 1_024;
/** A frame has to fit its contract (128 kB) even if every character were escaped. */
const maxFrameLength = 16 * 1024;

const framesLost = counter('starling.frames.lost');
const framesResent = counter('starling.frames.resent');

/** Which stream the frames belong to. */
export interface FrameStream extends Pick<Frame, 'jobId' | 'attempt'> {
  readonly ownerId: OwnerId;
  readonly headers: Headers;
}

/**
 * Sends an answer as numbered frames (features A9): the first text at once, so that the user sees
 * something, then what came within `coalesceMs`. Frames are at most once; a reader that misses some
 * asks for them again, and the job's end has the whole text.
 */
export class FrameSender implements Disposable {
  readonly #parts: {
    readonly messaging: Messaging;
    readonly clock: Clock;
    readonly coalesceMs: number;
  };
  readonly #stream: FrameStream;
  readonly #subject: string;
  readonly #ring = new FrameRing();
  #waiting = '';
  #sent = 0;
  #timer: Disposable | undefined;

  constructor(
    parts: { readonly messaging: Messaging; readonly clock: Clock; readonly coalesceMs: number },
    stream: FrameStream,
  ) {
    this.#parts = parts;
    this.#stream = stream;
    this.#subject = subjects.frame(stream.ownerId, stream.jobId, stream.attempt);
  }

  push(text: string): void {
    this.#waiting += text;
    if (this.#sent === 0 || this.#waiting.length >= fullFrameLength) this.flush();
    else this.#timer ??= this.#parts.clock.schedule(this.#parts.coalesceMs, () => this.flush());
  }

  /** Sends what waits. */
  flush(): void {
    this[Symbol.dispose]();
    for (let at = 0; at < this.#waiting.length; at += maxFrameLength) {
      this.#sendNext(this.#waiting.slice(at, at + maxFrameLength));
    }
    this.#waiting = '';
  }

  /** The last frame: the end stands in the ledger, and may be delivered. */
  finish(end: NonNullable<Frame['end']>): void {
    this.#sendNext('', end);
  }

  /** Sends again what a reader missed. */
  resend({ attempt, from }: Resend): void {
    if (attempt !== this.#stream.attempt) return;
    const missed = this.#ring.from(from);
    for (const frame of missed) this.#publish(frame);
    framesResent.add(missed.length);
  }

  /** How many frames have been sent. */
  get sent(): number {
    return this.#sent;
  }

  /** Stops the timer; what waits stays unsent. */
  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  #sendNext(text: string, end?: Frame['end']): void {
    const { jobId, attempt } = this.#stream;
    const frame: Frame = { jobId, attempt, sequence: this.#sent, text, ...(end && { end }) };
    this.#sent += 1;
    this.#ring.add(frame);
    this.#publish(frame);
  }

  #publish(frame: Frame): void {
    const { headers } = this.#stream;
    try {
      this.#parts.messaging.publish(this.#subject, encode(frameContract, frame), { headers });
    } catch {
      // The bus is away: the reader sees a hole in the numbers, and asks or reads the end.
      framesLost.add(1);
    }
  }
}
