import type { Frame } from '@starling/contracts';

/**
 * The text of one job as it reaches its caller: numbered frames in their order, then the rest from the
 * result, which has the whole text. After a hole in the numbers nothing is passed on until the result.
 */
export class AnswerText {
  #next = 0;
  #length = 0;

  /** Whether any text was passed on. */
  get begun(): boolean {
    return this.#length > 0;
  }

  /** What to pass on now; empty for a repetition and after a hole. */
  frame({ sequence, text }: Pick<Frame, 'sequence' | 'text'>): string {
    if (sequence !== this.#next) return '';
    this.#next += 1;
    this.#length += text.length;
    return text;
  }

  /** What the frames left out of the whole text. */
  rest(whole: string): string {
    return whole.slice(this.#length);
  }
}
