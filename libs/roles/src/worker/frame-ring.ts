import type { Frame } from '@starling/contracts';

/** Frames kept of one stream: at 25 a second, 40 seconds. */
const maxFrames = 1_000;
/** Characters kept of one stream: what a reader puts together at most. */
const maxLength = 200_000;

/** The newest frames of a stream, to be sent again to a reader that missed some. */
export class FrameRing {
  readonly #frames: Frame[] = [];
  #length = 0;

  add(frame: Frame): void {
    this.#frames.push(frame);
    this.#length += frame.text.length;
    while (this.#frames.length > maxFrames || this.#length > maxLength) {
      this.#length -= this.#frames.shift()?.text.length ?? 0;
    }
  }

  /** The frames from this one on; none when it is no longer kept, for text behind a hole is useless. */
  from(sequence: number): readonly Frame[] {
    const first = this.#frames.findIndex((frame) => frame.sequence === sequence);
    return first === -1 ? [] : this.#frames.slice(first);
  }
}
