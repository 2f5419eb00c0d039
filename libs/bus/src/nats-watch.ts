/**
 * A watch on a bucket: reads its stream from where it began, and after a lost connection from where
 * it was. History is 1, so what was overwritten meanwhile is not told.
 */
import type { JetStreamManager } from '@nats-io/jetstream';
import { busLimits } from './bus-limits.ts';
import { reportFeedRead, reportHandlerFailure } from './bus-report.ts';
import type { NatsLink } from './nats-link.ts';
import { type OrderedMessage, OrderedRun } from './nats-ordered-run.ts';
import { bucketStream } from './nats-store-setup.ts';
import type { KeyValueEntry } from './store-port.ts';

/** Before reading anew after a refusal: not to ask in a tight loop. */
const retryPauseMs = 250;

/** What a {@link NatsWatch} is built from. */
export interface NatsWatchParts {
  readonly link: NatsLink;
  readonly manager: JetStreamManager;
  readonly bucket: string;
  readonly pattern: string;
  readonly handler: (entry: KeyValueEntry) => void;
}

/** See the module's header. */
export class NatsWatch {
  readonly #parts: NatsWatchParts;
  readonly #started = Promise.withResolvers<true>();
  readonly #ending = new AbortController();
  /** The last revision that was told, or was there when the watch began. */
  #last: number | undefined;
  /** When the stream was made that it counts in. */
  #created: string | undefined;

  constructor(parts: NatsWatchParts) {
    this.#parts = parts;
    void this.#keep();
  }

  /** Resolves when nothing written from then on can be missed. */
  get started(): Promise<true> {
    return this.#started.promise;
  }

  /** Ends it; its handler hears nothing more. */
  stop(): void {
    this.#ending.abort();
  }

  async #keep(): Promise<void> {
    const { link } = this.#parts;
    const { signal } = this.#ending;
    while (!signal.aborted && link.state !== 'closed') {
      if (link.state === 'reconnecting') await link.nextChange(busLimits.compareEveryMs, signal);
      else await this.#read();
    }
  }

  async #read(): Promise<void> {
    const { bucket, link, manager, pattern } = this.#parts;
    const { signal } = this.#ending;
    const stream = bucketStream(bucket);
    try {
      const { created, state } = await manager.streams.info(stream);
      // Another stream: the store was lost, and counts anew.
      if (this.#created !== undefined && created !== this.#created) this.#last = 0;
      this.#created = created;
      this.#last ??= state.last_seq;
    } catch {
      await link.nextChange(retryPauseMs, signal);
      return;
    }
    const run = new OrderedRun({
      link,
      manager,
      stream,
      headersOnly: false,
      filterSubject: `$KV.${bucket}.${pattern}`,
      startSequence: this.#last + 1,
      onMessage: (message) => this.#tell(message),
      onCaughtUp: () => this.#started.resolve(true),
    });
    const onAbort = () => run.stop();
    signal.addEventListener('abort', onAbort, { once: true });
    while (run.end === undefined && link.state === 'connected') {
      await link.within(run.over, { timeoutMs: busLimits.compareEveryMs, signal });
    }
    signal.removeEventListener('abort', onAbort);
    const { end = 'ended', failure } = run;
    run.stop();
    if (end !== 'ended' && link.state === 'connected') reportFeedRead(stream, end, failure);
    if (end === 'refused') await link.nextChange(retryPauseMs, signal);
  }

  #tell({ message, sequence }: OrderedMessage): void {
    const { bucket, handler } = this.#parts;
    this.#last = sequence;
    // A tool's deletion leaves a marker, which is no value (NATS ADR-8).
    if (this.#ending.signal.aborted || 'KV-Operation' in message.headers) return;
    try {
      handler({
        key: message.subject.slice(`$KV.${bucket}.`.length),
        bytes: message.payload,
        revision: sequence,
      });
    } catch (error) {
      reportHandlerFailure(message.subject, error);
    }
  }
}
