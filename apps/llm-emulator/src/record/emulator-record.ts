/** What the emulator saw: the judge of every promise about providers. Never holds a key. */
import type { Clock } from '@starling/clock';
import { BoundedLog } from './bounded-log.ts';
import { Concurrency } from './concurrency.ts';
import { type Connection, ConnectionLog } from './connection-log.ts';
import { RequestEntry, type RequestReading } from './request-entry.ts';
import { type Charge, fullestWindow } from './token-windows.ts';

/** Which part of the record to read. */
export interface RecordQuery {
  /** The latest so many requests one by one; 100 unless told. */
  readonly requests?: number;
  /** Length of the sliding window; a minute unless told. */
  readonly windowMs?: number;
}

export class EmulatorRecord {
  readonly connections: ConnectionLog;
  readonly #clock: Clock;
  readonly #entries: BoundedLog<RequestEntry>;
  readonly #concurrency = new Concurrency();
  #lastId = 0;
  #sinceMs: number;
  #counts = emptyCounts();
  #onIdle: (() => void) | undefined;

  /** @param requestsMax requests kept one by one; the windows are computed over these */
  constructor(clock: Clock, requestsMax: number) {
    this.#clock = clock;
    this.#sinceMs = clock.nowMs();
    this.#entries = new BoundedLog(requestsMax);
    this.connections = new ConnectionLog(clock);
  }

  /** A chat request whose headers have arrived. */
  begin(request: {
    readonly path: string;
    readonly keyLabel: string;
    readonly connection: Connection;
  }): RequestEntry {
    this.#counts.requests++;
    const entry = new RequestEntry({
      clock: this.#clock,
      id: ++this.#lastId,
      path: request.path,
      connection: request.connection.id,
      keyLabel: request.keyLabel,
      slot: this.#concurrency.enter(request.keyLabel),
      onEnd: (reading) => this.#count(reading),
    });
    this.#entries.push(entry);
    return entry;
  }

  /** Resolves when no request is in flight, or as soon as the signal aborts. */
  async idle(signal: AbortSignal): Promise<void> {
    if (this.#concurrency.now === 0 || signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onIdle = resolve;
    signal.addEventListener('abort', () => resolve(), { once: true });
    await promise;
  }

  /** The record so far. */
  read(query: RecordQuery = {}) {
    const readings = this.#entries.values().map(({ reading }) => reading);
    const wanted = query.requests ?? 100;
    return {
      sinceMs: this.#sinceMs,
      counts: structuredClone(this.#counts),
      concurrency: this.#concurrency.read(),
      connections: this.connections.read(),
      windows: this.#windows(readings, query.windowMs ?? 60_000),
      /** Requests that are no longer kept: the windows do not see them. */
      forgotten: this.#entries.dropped,
      requests: wanted === 0 ? [] : readings.slice(-wanted).map((reading) => ({ ...reading })),
    };
  }

  /** Starts a new record. What is in flight stays in it. */
  reset(): void {
    this.#sinceMs = this.#clock.nowMs();
    this.#entries.reset(({ reading }) => reading.ending === 'open');
    this.#counts = emptyCounts();
    this.#counts.requests = this.#entries.values().length;
    this.#concurrency.reset();
    this.connections.reset();
  }

  #count(reading: RequestReading): void {
    bump(this.#counts.byEnding, reading.ending);
    if (reading.status !== undefined) bump(this.#counts.byStatus, String(reading.status));
    if (reading.fault !== undefined) bump(this.#counts.byFault, reading.fault);
    this.#counts.promptTokens += reading.promptTokens;
    this.#counts.completionTokens += reading.completionTokens;
    if (this.#concurrency.now === 0) this.#onIdle?.();
  }

  /** The fullest windows in all, by key and by model, each request counted once at its start and once at its end. */
  #windows(readings: readonly RequestReading[], windowMs: number) {
    const nowMs = this.#clock.nowMs();
    const judge = (chosen: readonly RequestReading[]) => {
      const charges = (at: (reading: RequestReading) => number): readonly Charge[] =>
        chosen.map((reading) => ({
          atMs: at(reading),
          tokens: reading.promptTokens + reading.completionTokens,
        }));
      const endOf = ({ startedAtMs, endMs }: RequestReading) =>
        endMs === undefined ? nowMs : startedAtMs + endMs;
      return {
        byStart: fullestWindow(
          charges(({ startedAtMs }) => startedAtMs),
          windowMs,
        ),
        byEnd: fullestWindow(charges(endOf), windowMs),
      };
    };
    const grouped = (of: (reading: RequestReading) => string) =>
      Object.fromEntries(
        Object.entries(Object.groupBy(readings, of)).map(([name, group]) => [
          name,
          judge(group ?? []),
        ]),
      );
    return {
      windowMs,
      ...judge(readings),
      byKey: grouped(({ keyLabel }) => keyLabel),
      byModel: grouped(({ model }) => model ?? '(none)'),
    };
  }
}

/** What {@link EmulatorRecord.read} answers, and `GET /control/record`. */
export type RecordReading = ReturnType<EmulatorRecord['read']>;

const emptyCounts = () => ({
  requests: 0,
  byEnding: {} as Record<string, number>,
  byStatus: {} as Record<string, number>,
  byFault: {} as Record<string, number>,
  promptTokens: 0,
  completionTokens: 0,
});

function bump(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
