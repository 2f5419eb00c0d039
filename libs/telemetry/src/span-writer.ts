/**
 * Brings ended spans to a collector. Each is written as it ends into one piece of memory, which is
 * sent when it is full or a second old: between a span's end and its export nothing of it is kept but
 * the text, so the collector of garbage has nothing to carry on.
 */
import { type Context, TraceFlags } from '@opentelemetry/api';
import type { ReadableSpan, Span, SpanProcessor } from '@opentelemetry/sdk-trace';
import type { Clock } from '@starling/clock';
import { spansHead, spansTail, spanText } from './span-text.ts';

/** Sends one export. @returns why it did not get there, undefined when it did */
export type SendSpans = (request: Uint8Array) => Promise<unknown>;

/** What a {@link SpanWriter} needs. */
export interface SpanWriterParts {
  readonly clock: Clock;
  readonly send: SendSpans;
  /** Spans that were lost, and why; the first of a run of failures, and when it is over. */
  readonly onTrouble: (error: unknown) => void;
  readonly onRestored: (lost: number) => void;
}

/** How long ended spans wait for company before they are sent. */
const exportDelayMs = 1_000;
/** One export: about 400 spans. */
const pieceBytes = 262_144;
/** Exports that may be on their way at once; what is full meanwhile is dropped. */
const maxSending = 16;
/** Below it an export is copied out of the piece, above it the piece itself goes. */
const copyBelowBytes = 65_536;

/** See the module's header. */
export class SpanWriter implements SpanProcessor {
  readonly #parts: SpanWriterParts;
  #piece: Buffer = Buffer.allocUnsafe(pieceBytes);
  /** One that was sent and can be written into again. */
  #spare: Buffer | undefined;
  #used = 0;
  #spans = 0;
  /** The scope that is being written, of one resource as all that a process has. */
  #scope: object | undefined;
  #timer: Disposable | undefined;
  readonly #sending = new Set<Promise<void>>();
  #lost = 0;
  #ended = false;

  constructor(parts: SpanWriterParts) {
    this.#parts = parts;
  }

  onStart(_span: Span, _parent: Context): void {}

  onEnd(span: ReadableSpan): void {
    if (this.#ended || (span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0) return;
    const written = spanText(span);
    const { instrumentationScope: scope, resource } = span;
    // A code unit is three bytes at most.
    if (this.#used + (written.length + spansTail.length) * 3 > pieceBytes) this.#send();
    if (this.#scope !== scope) this.#send();
    if (this.#spans === 0) {
      this.#scope = scope;
      const head = spansHead(resource, scope);
      const bytes = (head.length + written.length + spansTail.length) * 3;
      // One span that is larger than a piece gets a piece of its own.
      if (bytes > this.#piece.length) this.#piece = Buffer.allocUnsafe(bytes);
      this.#write(head);
      this.#timer ??= this.#parts.clock.schedule(exportDelayMs, () => this.#send());
    } else this.#write(',');
    this.#write(written);
    this.#spans += 1;
  }

  async forceFlush(): Promise<void> {
    this.#send();
    await Promise.all(this.#sending);
  }

  async shutdown(): Promise<void> {
    await this.forceFlush();
    this.#ended = true;
  }

  #write(text: string): void {
    this.#used += this.#piece.write(text, this.#used);
  }

  #send(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    const spans = this.#spans;
    if (spans === 0) return;
    if (this.#sending.size < maxSending) {
      this.#write(spansTail);
      const sending = this.#deliver(spans).finally(() => this.#sending.delete(sending));
      this.#sending.add(sending);
    } else this.#fail(spans, new Error(`${maxSending} exports of spans are on their way`));
    this.#used = 0;
    this.#spans = 0;
  }

  async #deliver(spans: number): Promise<void> {
    const piece = this.#piece;
    const request = piece.subarray(0, this.#used);
    const copied = this.#used < copyBelowBytes;
    if (!copied) {
      this.#piece = this.#spare ?? Buffer.allocUnsafe(pieceBytes);
      this.#spare = undefined;
    }
    const error = await this.#parts.send(copied ? Buffer.from(request) : request);
    if (!copied && piece.length === pieceBytes) this.#spare = piece;
    if (error !== undefined) this.#fail(spans, error);
    else if (this.#lost > 0) {
      this.#parts.onRestored(this.#lost);
      this.#lost = 0;
    }
  }

  #fail(spans: number, error: unknown): void {
    if (this.#lost === 0) this.#parts.onTrouble(error);
    this.#lost += spans;
  }
}
