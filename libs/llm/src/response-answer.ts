import type { ResponseReader } from '@starling/pool';
import type { AnswerCollector } from './answer-collector.ts';
import type { Dialect, DialectPart, PartReader } from './dialect.ts';
import type { StreamPart } from './provider.ts';
import { faultOfStatus, type ProviderFault, providerCodeIn } from './provider-fault.ts';
import { retryAfterMsOf } from './retry-after.ts';

/** More of an error's body is not read: the connection is given up instead. */
const maxErrorBytes = 8 * 1024;

/** Whom a response is read for. */
export interface AnswerEars {
  readonly dialect: Dialect;
  readonly answer: AnswerCollector;
  readonly say: (part: StreamPart) => void;
  /** Something of the answer came. */
  readonly onToken: () => void;
  /** The head of a response came. */
  readonly onHead: (header: (name: string) => string | undefined) => void;
  /** The answer is whole, though the response may go on. */
  readonly onFinish: () => void;
}

/** Reads one response as an answer, or as a refusal where its status is one. */
export class ResponseAnswer implements ResponseReader {
  readonly #ears: AnswerEars;
  #status = 0;
  #header: (name: string) => string | undefined = () => undefined;
  #reader: PartReader | undefined;
  #refusal: Uint8Array[] = [];
  #refusalBytes = 0;

  constructor(ears: AnswerEars) {
    this.#ears = ears;
  }

  head(status: number, header: (name: string) => string | undefined): void {
    this.#status = status;
    this.#header = header;
    this.#ears.onHead(header);
    if (status === 200) this.#reader = this.#ears.dialect.reader(header('content-type'));
  }

  data(chunk: Uint8Array): boolean {
    if (!this.#reader) return this.#refused(chunk);
    this.#take(this.#reader.read(chunk));
    return !this.#ears.answer.full;
  }

  /** The response is over. @returns the fault of a refusing status */
  end(of: {
    readonly secret: string | undefined;
    readonly nowMs: number;
  }): ProviderFault | undefined {
    if (this.#reader) {
      if (!this.#ears.answer.full) this.#take(this.#reader.end());
      return undefined;
    }
    let body: unknown;
    try {
      body = JSON.parse(Buffer.concat(this.#refusal).toString());
    } catch {
      // An edge in front of the provider answers in HTML: the status has to do.
    }
    return faultOfStatus(this.#status, {
      providerCode: providerCodeIn(body, of.secret),
      retryAfterMs: retryAfterMsOf(this.#header, of.nowMs),
    });
  }

  /** Text that came together is passed on together. */
  #take(parts: Iterable<DialectPart>): void {
    const { answer, onFinish } = this.#ears;
    const wasFinished = answer.finished;
    let text = '';
    for (const part of parts) {
      if (part.kind === 'text') {
        text += part.text;
        continue;
      }
      if (text !== '') this.#pass({ kind: 'text', text });
      text = '';
      this.#pass(part);
    }
    if (text !== '') this.#pass({ kind: 'text', text });
    if (answer.finished && !wasFinished) onFinish();
  }

  #pass(part: DialectPart): void {
    const { answer, onToken, say } = this.#ears;
    if (part.kind === 'text' || part.kind === 'reasoning') onToken();
    for (const said of answer.take(part)) say(said);
  }

  #refused(chunk: Uint8Array): boolean {
    this.#refusalBytes += chunk.byteLength;
    if (this.#refusalBytes > maxErrorBytes) return false;
    this.#refusal.push(Uint8Array.from(chunk));
    return true;
  }
}
