/**
 * A job store as a JetStream stream of limits retention (docs.nats.io, JetStream, streams): one
 * message a subject, nothing acknowledged, what is done is deleted by sequence. What `put` resolved
 * for survives the death of the server's process; a removal may not, so a reader of this port is
 * idempotent by the message's id.
 */
import type { JetStreamManager } from '@nats-io/jetstream';
import type { Headers } from '@starling/contracts';
import { busLimits } from './bus-limits.ts';
import { isMessageGone, wrongLastSequence } from './nats-errors.ts';
import { NatsFeed, storedMessage } from './nats-feed.ts';
import type { NatsLink } from './nats-link.ts';
import type { NatsMessaging } from './nats-messaging.ts';
import { OrderedRun } from './nats-ordered-run.ts';
import { type ReadFrom, readMessage, storeMessage } from './nats-store-calls.ts';
import { BusError } from './port.ts';
import type { FeedHandler, JobStore, JobStoreSpec, StoredMessage } from './store-port.ts';
import { assertPattern, subjectMatches } from './subject.ts';

/** What a {@link NatsJobStore} is built from. */
export interface NatsJobStoreParts {
  readonly link: NatsLink;
  readonly manager: JetStreamManager;
  readonly messaging: NatsMessaging;
  readonly spec: JobStoreSpec;
}

/** See the module's header. */
export class NatsJobStore implements JobStore {
  readonly #parts: NatsJobStoreParts;
  readonly #feeds = new Set<NatsFeed>();
  #spec: JobStoreSpec;
  #reads: ReadFrom = 'any';

  constructor(parts: NatsJobStoreParts) {
    this.#parts = parts;
    this.#spec = parts.spec;
  }

  get spec(): JobStoreSpec {
    return this.#spec;
  }

  /** Takes on a changed spec, as opening an existing store anew does, and how the server keeps it. */
  reshape(spec: JobStoreSpec, { replicated }: { readonly replicated: boolean }): void {
    this.#spec = spec;
    this.#reads = replicated ? 'leader' : 'any';
  }

  async put(
    subject: string,
    payload: Uint8Array,
    options: { readonly id: string; readonly headers?: Headers; readonly timeoutMs?: number },
  ): Promise<{ readonly duplicate: boolean; readonly sequence: number }> {
    const { link, messaging } = this.#parts;
    const headers = {
      ...options.headers,
      'Nats-Msg-Id': options.id,
      'Nats-Expected-Stream': this.#spec.name,
      'Nats-Expected-Last-Subject-Sequence': '0',
    };
    if (!this.#spec.subjects.some((pattern) => subjectMatches(subject, pattern))) {
      throw new TypeError(`"${subject}" is no subject of the store ${this.#spec.name}`);
    }
    const timeoutMs = options.timeoutMs ?? busLimits.confirmTimeoutMs;
    try {
      return await storeMessage(messaging, { subject, payload, headers }, timeoutMs);
    } catch (error) {
      const sequence = wrongLastSequence(error);
      if (sequence !== undefined) return { duplicate: true, sequence };
      throw link.failure(error, `put to ${subject}`);
    }
  }

  async feed(handler: FeedHandler): Promise<AsyncDisposable> {
    const { link, manager, messaging } = this.#parts;
    const stream = this.#spec.name;
    let feed: NatsFeed | undefined;
    const hints = await messaging.subscribe(removalSubject(stream, '*'), ({ subject }) => {
      feed?.removed(Number(subject.split('.').at(-1)));
    });
    // Only now: a removal after the reading has passed its message is heard.
    const started = new NatsFeed({ link, manager, stream, handler });
    feed = started;
    this.#feeds.add(started);
    return {
      [Symbol.asyncDispose]: async () => {
        this.#feeds.delete(started);
        started.stop();
        await hints[Symbol.asyncDispose]();
      },
    };
  }

  async read(
    sequence: number,
  ): Promise<(StoredMessage & { readonly payload: Uint8Array }) | undefined> {
    const { link, messaging } = this.#parts;
    const which = { stream: this.#spec.name, sequence, from: this.#reads };
    try {
      return await readMessage(messaging, which, busLimits.confirmTimeoutMs);
    } catch (error) {
      throw link.failure(error, `read ${sequence} of ${this.#spec.name}`);
    }
  }

  async remove(sequence: number): Promise<void> {
    const { link, manager, messaging } = this.#parts;
    const { name } = this.#spec;
    link.assertUp();
    try {
      // Not erased, only deleted: measured 10 000 a second against 2 300.
      await manager.streams.deleteMessage(name, sequence, false);
    } catch (error) {
      if (!isMessageGone(error)) throw link.failure(error, `remove ${sequence} of ${name}`);
    }
    if (link.state === 'connected') {
      messaging.publish(removalSubject(name, String(sequence)), new Uint8Array());
    }
  }

  discard(sequence: number): void {
    const { link, messaging } = this.#parts;
    const { name } = this.#spec;
    if (link.state !== 'connected') return;
    // The server's API without a reply: it deletes, and has nobody to tell.
    const command = Buffer.from(JSON.stringify({ seq: sequence, no_erase: true }));
    try {
      link.connection.publish(`$JS.API.STREAM.MSG.DELETE.${name}`, command);
      messaging.publish(removalSubject(name, String(sequence)), new Uint8Array());
    } catch {
      // The connection went away in this very moment.
    }
  }

  async list(pattern?: string): Promise<readonly StoredMessage[]> {
    const { link, manager } = this.#parts;
    const { name } = this.#spec;
    if (pattern !== undefined) assertPattern(pattern);
    link.assertUp();
    const listed: StoredMessage[] = [];
    const whole = Promise.withResolvers<true>();
    const run = new OrderedRun({
      link,
      manager,
      stream: name,
      ...(pattern !== undefined && { filterSubject: pattern }),
      onMessage: (message) => listed.push(storedMessage(message)),
      onCaughtUp: () => whole.resolve(true),
    });
    const first = Promise.race([whole.promise, run.over.then(() => false)]);
    const done = await link.within(first, { timeoutMs: busLimits.confirmTimeoutMs });
    const { failure } = run;
    run.stop();
    if (done) return listed;
    link.assertUp();
    if (failure !== undefined) throw link.failure(failure, `list ${name}`);
    throw new BusError('timeout', `list ${name}: not read within ${busLimits.confirmTimeoutMs} ms`);
  }

  async size(): Promise<number> {
    const { link, manager } = this.#parts;
    link.assertUp();
    try {
      return (await manager.streams.info(this.#spec.name)).state.messages;
    } catch (error) {
      throw link.failure(error, `size of ${this.#spec.name}`);
    }
  }

  /** Ends every feed. */
  close(): void {
    for (const feed of this.#feeds) feed.stop();
    this.#feeds.clear();
  }
}

/** Where removals are told: outside of `jobs.>`, which the stream would store. */
function removalSubject(stream: string, sequence: string): string {
  return `removed.${stream}.${sequence}`;
}
