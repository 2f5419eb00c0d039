import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Clock } from '@starling/clock';

/** Notes what is written to it and when; reads as slowly as it is told. */
export class FakeResponse extends EventEmitter {
  readonly #clock: Clock;
  readonly log: { readonly atMs: number; readonly what: string }[] = [];
  /** While false, every write fills the buffer. */
  reads = true;
  readonly socket = {
    destroySoon: () => this.#note('cut'),
    resetAndDestroy: () => this.#note('reset'),
  };

  constructor(clock: Clock) {
    super();
    this.#clock = clock;
  }

  writeHead(status: number) {
    this.#note(`head ${status}`);
  }

  flushHeaders() {
    this.#note('flush');
  }

  write(data: string | Uint8Array): boolean {
    this.#note(Buffer.from(data).toString());
    return this.reads;
  }

  end() {
    this.#note('end');
  }

  /** As what the sender takes; it uses no more of a response than this class has. */
  get asResponse(): ServerResponse {
    return this as unknown as ServerResponse;
  }

  #note(what: string) {
    this.log.push({ atMs: this.#clock.monotonicMs(), what });
  }
}
