import type { Frame } from '@starling/contracts';

/**
 * The text of one job as it reaches its caller: numbered frames in their order, then the rest from the
 * result, which has the whole text. At a hole in the numbers nothing is passed on until what is missing
 * was sent again, or the result came.
 */
export class AnswerText {
  #next = 0;
  #length = 0;
  #hole: number | undefined;

  /** Whether any text was passed on. */
  get begun(): boolean {
    return this.#length > 0;
  }

  /**
   * What to pass on now; empty for a repetition and after a hole.
   * @param onHole told once of each hole: the number of the first frame that is missing
   */
  frame(
    { sequence, text }: Pick<Frame, 'sequence' | 'text'>,
    onHole: (from: number) => void,
  ): string {
    if (sequence > this.#next && this.#hole !== this.#next) {
      this.#hole = this.#next;
      onHole(this.#next);
    }
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
