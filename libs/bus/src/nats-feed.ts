/**
 * A feed of a job store over NATS. It reads the stream from its beginning, then stays on it live; it
 * reads anew after a lost connection, a gap, or when its number of messages stays different from the
 * stream's, and tells only the difference. Removals are not in a stream: the remover tells them on
 * core NATS, which may lose them, and the comparison finds what was lost.
 */
import type { JetStreamManager } from '@nats-io/jetstream';
import { busLimits } from './bus-limits.ts';
import { reportFeedRead, reportHandlerFailure } from './bus-report.ts';
import { FeedView } from './feed-view.ts';
import type { NatsLink } from './nats-link.ts';
import { type OrderedMessage, OrderedRun } from './nats-ordered-run.ts';
import type { FeedHandler, StoredMessage } from './store-port.ts';

/** Under load a message or a removal is always under way; so a difference counts when it stays. */
const samples = 4;
const samplePauseMs = 250;
/** Before reading anew after a refusal: not to ask in a tight loop. */
const retryPauseMs = 250;

/** What a {@link NatsFeed} is built from. */
export interface NatsFeedParts {
  readonly link: NatsLink;
  readonly manager: JetStreamManager;
  readonly stream: string;
  readonly handler: FeedHandler;
}

/** See the module's header. */
export class NatsFeed {
  readonly #parts: NatsFeedParts;
  readonly #view = new FeedView({ maxEarlyRemovals: busLimits.maxEarlyRemovals });
  readonly #ending = new AbortController();
  #synced = false;

  constructor(parts: NatsFeedParts) {
    this.#parts = parts;
    void this.#keep();
  }

  /** A remover's hint. */
  removed(sequence: number): void {
    const gone = this.#view.removed(sequence);
    if (gone) this.#tell(() => this.#parts.handler.gone?.(gone));
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

  /** One reading, from its beginning until something was missed. */
  async #read(): Promise<void> {
    const { link, manager, stream } = this.#parts;
    const { signal } = this.#ending;
    this.#view.begin();
    this.#synced = false;
    this.#tell(() => this.#parts.handler.reading?.());
    const run = new OrderedRun({
      link,
      manager,
      stream,
      onMessage: (message) => this.#stored(message),
      onCaughtUp: () => this.#caughtUp(),
    });
    const onAbort = () => run.stop();
    signal.addEventListener('abort', onAbort, { once: true });
    while (run.end === undefined && link.state === 'connected') {
      const end = await link.within(run.over, { timeoutMs: busLimits.compareEveryMs, signal });
      if (end === undefined && this.#synced && (await this.#differs(run))) break;
    }
    signal.removeEventListener('abort', onAbort);
    const { end = 'difference', failure } = run;
    run.stop();
    if (end !== 'ended' && link.state === 'connected') reportFeedRead(stream, end, failure);
    if (end === 'refused') await link.nextChange(retryPauseMs, signal);
  }

  async #differs(run: OrderedRun): Promise<boolean> {
    const { link, manager, stream } = this.#parts;
    const { signal } = this.#ending;
    for (let sample = 0; sample < samples; sample += 1) {
      if (sample > 0) await link.nextChange(samplePauseMs, signal);
      if (signal.aborted || run.end !== undefined || link.state !== 'connected') return false;
      try {
        const { messages } = (await manager.streams.info(stream)).state;
        if (messages === this.#view.size) return false;
      } catch {
        // It is slow, or gone; the next comparison, or the reading's own end, will tell.
        return false;
      }
    }
    return true;
  }

  #stored(read: OrderedMessage): void {
    const message = storedMessage(read);
    const { isNew, replaced } = this.#view.stored(message);
    if (replaced) this.#tell(() => this.#parts.handler.gone?.(replaced));
    if (isNew) this.#tell(() => this.#parts.handler.stored(message));
  }

  #caughtUp(): void {
    for (const gone of this.#view.complete()) this.#tell(() => this.#parts.handler.gone?.(gone));
    this.#synced = true;
    this.#tell(() => this.#parts.handler.synced?.());
  }

  #tell(what: () => void): void {
    if (this.#ending.signal.aborted) return;
    try {
      what();
    } catch (error) {
      reportHandlerFailure(this.#parts.stream, error);
    }
  }
}

/** A read message as the port has it. */
export function storedMessage({ message, sequence, storedAtMs }: OrderedMessage): StoredMessage {
  const { headers, subject } = message;
  return { sequence, subject, headers, storedAtMs };
}
