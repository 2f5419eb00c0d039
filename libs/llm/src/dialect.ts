/** How one kind of server is spoken to. Everything else about a call is the same for all of them. */
import type { Usage } from '@starling/contracts';
import type { CompletionRequest } from './provider.ts';

/** What a dialect reads out of a response, in the order in which the server sends it. */
export type DialectPart =
  | { readonly kind: 'text' | 'reasoning'; readonly text: string }
  | { readonly kind: 'usage'; readonly usage: Usage }
  | { readonly kind: 'model'; readonly model: string }
  /** The answer is whole. Usage may still follow. */
  | { readonly kind: 'finish'; readonly reason: 'stop' | 'length' | 'content_filter' };

/** One call's question. */
export interface Asked extends CompletionRequest {
  readonly model: string;
  /** The answer is to come in one piece. */
  readonly whole: boolean;
}

/** Reads one response with status 200. */
export interface PartReader {
  /**
   * What this chunk completes.
   * @throws {ProviderFaultError} for an error object in the stream and for what is no such stream
   */
  read(chunk: Uint8Array): Iterable<DialectPart>;
  /** What the end of the body completes. @throws as above */
  end(): Iterable<DialectPart>;
}

export interface Dialect {
  readonly path: string;
  /** Headers of every request, the key among them. */
  readonly headers: Readonly<Record<string, string>>;
  body(asked: Asked): unknown;
  reader(contentType: string | undefined): PartReader;
}
