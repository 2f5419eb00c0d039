/** The last bytes that are searched again with the next ones, for a mark that a boundary divided. */
const overlap = 32;

const text = /"content":\s*"[^"]/;
const end = /data: \[DONE\]/;
const wholeBody = /"finish_reason":\s*"/;

/**
 * Follows an OpenAI-compatible answer without parsing it, to spare the load generator's CPU: when
 * its first text came, and whether it came to its end. An opening chunk with a role and no text is
 * no first token.
 */
export class AnswerReader {
  readonly #stream: boolean;
  #tail = '';
  #hasText = false;
  #ended = false;

  constructor(options: { readonly stream: boolean }) {
    this.#stream = options.stream;
  }

  /** @returns whether this piece brought the first text */
  read(piece: string): boolean {
    const seen = this.#tail + piece;
    this.#tail = seen.slice(-overlap);
    const first = !this.#hasText && text.test(seen);
    this.#hasText ||= first;
    this.#ended ||= (this.#stream ? end : wholeBody).test(seen);
    return first;
  }

  /** Whether it had text and its regular end. */
  get whole(): boolean {
    return this.#hasText && this.#ended;
  }
}
