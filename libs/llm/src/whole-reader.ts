import { StringDecoder } from 'node:string_decoder';
import type { DialectPart, PartReader } from './dialect.ts';
import { maxLineLength } from './line-reader.ts';
import { type Fields, parseChunk } from './parse-chunk.ts';
import { ProviderFaultError } from './provider-fault.ts';

/** Reads a response that is one JSON object. */
export class WholeReader implements PartReader {
  readonly #secret: string | undefined;
  readonly #partsOf: (body: Fields) => Iterable<DialectPart>;
  readonly #decoder = new StringDecoder('utf8');
  #text = '';

  constructor(secret: string | undefined, partsOf: (body: Fields) => Iterable<DialectPart>) {
    this.#secret = secret;
    this.#partsOf = partsOf;
  }

  read(chunk: Uint8Array): Iterable<DialectPart> {
    this.#text += this.#decoder.write(chunk);
    if (this.#text.length <= maxLineLength) return [];
    throw new ProviderFaultError({
      code: 'provider_unavailable',
      retryable: false,
      detail: 'answer_too_long',
    });
  }

  end(): Iterable<DialectPart> {
    return this.#partsOf(parseChunk(this.#text, this.#secret));
  }
}
