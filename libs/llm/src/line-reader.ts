import { StringDecoder } from 'node:string_decoder';
import { ProviderFaultError } from './provider-fault.ts';

/** A line longer than this is no chunk of an answer: a token is some bytes, a whole answer 200 kB. */
export const maxLineLength = 512 * 1024;

/**
 * Lines of a byte stream, without their ends, wherever the chunks were cut: inside a character,
 * between CR and LF. A last line without an end is not a line; whether it matters is for the reader
 * of the lines to say.
 */
export class LineReader {
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';
  #endedInCr = false;

  /** What follows the last line's end. */
  get rest(): string {
    return this.#rest;
  }

  /**
   * The lines that this chunk ends.
   * @throws {ProviderFaultError} `line_too_long` over {@link maxLineLength} characters
   */
  read(chunk: Uint8Array): string[] {
    let text = this.#decoder.write(chunk);
    if (text === '') return [];
    if (this.#endedInCr && text.startsWith('\n')) text = text.slice(1);
    this.#endedInCr = text.endsWith('\r');
    // Nearly every server ends its lines in LF alone, and splitting at a character is the quicker.
    const lines = text.includes('\r') ? text.split(/\r\n|\n|\r/) : text.split('\n');
    lines[0] = this.#rest + (lines[0] ?? '');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > maxLineLength) {
      throw new ProviderFaultError({
        code: 'provider_unavailable',
        retryable: false,
        detail: 'line_too_long',
      });
    }
    return lines;
  }
}
