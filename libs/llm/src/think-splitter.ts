/**
 * Parts `<think>…</think>` from the answer. Models that think aloud inside their text do so at its
 * beginning; a tag further on is the answer's own (somebody may be asking about the tag).
 */
export interface SplitText {
  readonly kind: 'text' | 'reasoning';
  readonly text: string;
}

const opening = '<think>';
const closing = '</think>';

/** Fed with text as it comes, however a tag is cut. */
export class ThinkSplitter {
  #state: 'start' | 'thinking' | 'answer' = 'start';
  /** Text that may yet turn out to be a tag; shorter than a tag, leading white space apart. */
  #held = '';

  /** What the new text settles. */
  push(text: string): SplitText[] {
    if (this.#state === 'answer') return text === '' ? [] : [{ kind: 'text', text }];
    this.#held += text;
    const out: SplitText[] = [];
    while (this.#step(out));
    return out;
  }

  /** The stream ended: what was held is what it looked like. */
  end(): SplitText[] {
    const held = this.#held;
    this.#held = '';
    if (held.trim() === '') return [];
    return [{ kind: this.#state === 'thinking' ? 'reasoning' : 'text', text: held }];
  }

  /** Settles one stretch of the held text; false when more text is needed. */
  #step(out: SplitText[]): boolean {
    if (this.#state === 'start') return this.#start();
    if (this.#state === 'thinking') return this.#think(out);
    if (this.#held !== '') out.push({ kind: 'text', text: this.#held });
    this.#held = '';
    return false;
  }

  #start(): boolean {
    const text = this.#held.trimStart();
    if (text.startsWith(opening)) {
      this.#held = text.slice(opening.length);
      this.#state = 'thinking';
      return true;
    }
    if (opening.startsWith(text)) {
      // White space alone, or the beginning of a tag. Leading white space is worth nothing to anyone.
      this.#held = text;
      return false;
    }
    this.#state = 'answer';
    this.#held = text;
    return true;
  }

  #think(out: SplitText[]): boolean {
    const end = this.#held.indexOf(closing);
    if (end !== -1) {
      if (end > 0) out.push({ kind: 'reasoning', text: this.#held.slice(0, end) });
      this.#held = this.#held.slice(end + closing.length);
      this.#state = 'start';
      return true;
    }
    const keep = partialTagLength(this.#held);
    const settled = this.#held.slice(0, this.#held.length - keep);
    if (settled !== '') out.push({ kind: 'reasoning', text: settled });
    this.#held = this.#held.slice(this.#held.length - keep);
    return false;
  }
}

/** How much of the text's end could be the beginning of a closing tag. */
function partialTagLength(text: string): number {
  for (let length = Math.min(closing.length - 1, text.length); length > 0; length -= 1) {
    if (closing.startsWith(text.slice(-length))) return length;
  }
  return 0;
}
