import type { Clock } from '@starling/clock';
import { BoundedLog } from './bounded-log.ts';

/** One TCP connection; times are wall-clock milliseconds. */
export interface ConnectionReading {
  readonly id: number;
  readonly openedAtMs: number;
  readonly closedAtMs?: number;
  /** Provider requests it carried. */
  readonly requests: number;
}

interface Connection {
  id: number;
  openedAtMs: number;
  closedAtMs?: number;
  requests: number;
  control: boolean;
}

/** Connections listed one by one; older ones stay in the counts only. */
const connectionsListed = 1000;

/** Connections and how well they are used. Those that carry control requests are left out. */
export class ConnectionLog {
  readonly #clock: Clock;
  readonly #log = new BoundedLog<Connection>(connectionsListed);
  #lastId = 0;
  #opened = 0;
  #open = 0;
  #refused = 0;
  #requests = 0;
  #firstRequests = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  opened(): Connection {
    const connection = {
      id: ++this.#lastId,
      openedAtMs: this.#clock.nowMs(),
      requests: 0,
      control: false,
    };
    this.#opened++;
    this.#open++;
    this.#log.push(connection);
    return connection;
  }

  closed(connection: Connection): void {
    connection.closedAtMs = this.#clock.nowMs();
    if (!connection.control) this.#open--;
  }

  /** Beyond the bound on connections. */
  refused(): void {
    this.#refused++;
  }

  providerRequest(connection: Connection): void {
    this.#requests++;
    if (connection.requests === 0) this.#firstRequests++;
    connection.requests++;
  }

  /** A door's connection is no client's: it is taken out of the counts. */
  controlRequest(connection: Connection): void {
    if (connection.control || connection.requests > 0) return;
    connection.control = true;
    this.#opened--;
    this.#open--;
  }

  read() {
    const list: readonly ConnectionReading[] = this.#log
      .values()
      .filter(({ control }) => !control)
      .map(({ control: _control, ...reading }) => reading);
    return {
      opened: this.#opened,
      open: this.#open,
      refused: this.#refused,
      requests: this.#requests,
      /** Share of the requests that found their connection open and used before; 0 without any. */
      reuseRatio: this.#requests === 0 ? 0 : 1 - this.#firstRequests / this.#requests,
      list,
      unlisted: this.#log.dropped,
    };
  }

  /** Open connections stay known, so that a later request on one of them counts as reuse. */
  reset(): void {
    this.#log.reset(({ closedAtMs }) => closedAtMs === undefined);
    this.#opened = 0;
    this.#refused = 0;
    this.#requests = 0;
    this.#firstRequests = 0;
  }
}

export type { Connection };
