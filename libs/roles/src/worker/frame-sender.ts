import type { Messaging } from '@starling/bus';
import type { Clock } from '@starling/clock';
import {
  encode,
  type Frame,
  frameContract,
  type Headers,
  type OwnerId,
  subjects,
} from '@starling/contracts';
import { counter } from '@starling/telemetry';

/** Text of this many characters goes out without waiting for more. */
const fullFrameLength = 1_024;
/** A frame has to fit its contract (128 kB) even if every character were escaped. */
const maxFrameLength = 16 * 1024;

const framesLost = counter('starling.frames.lost');

/** Which stream the frames belong to. */
export interface FrameStream extends Pick<Frame, 'jobId' | 'attempt'> {
  readonly ownerId: OwnerId;
  readonly headers: Headers;
}

/**
 * Sends an answer as numbered frames (features A9): the first text at once, so that the user sees
 * something, then what came within `coalesceMs`. Frames are at most once; the result has the whole
 * text.
 */
export class FrameSender implements Disposable {
  readonly #parts: {
    readonly messaging: Messaging;
    readonly clock: Clock;
    readonly coalesceMs: number;
  };
  readonly #stream: FrameStream;
  readonly #subject: string;
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
      this.#send(this.#waiting.slice(at, at + maxFrameLength));
    }
    this.#waiting = '';
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

  #send(text: string): void {
    const { jobId, attempt, headers } = this.#stream;
    const frame = encode(frameContract, { jobId, attempt, sequence: this.#sent, text });
    this.#sent += 1;
    try {
      this.#parts.messaging.publish(this.#subject, frame, { headers });
    } catch {
      // The bus is away: the reader sees a hole in the numbers, and the result fills it.
      framesLost.add(1);
    }
  }
}
