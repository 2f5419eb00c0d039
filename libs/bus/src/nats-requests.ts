/**
 * Requests and their answers. All of them share one inbox, a subscription of its own, so that a
 * request costs one message, one timer and a place in a map; the client's own request makes several
 * promises and, for an error that is not thrown, a stack trace.
 */
import { createInbox, type Msg, PermissionViolationError } from 'nats';
import { busLimits } from './bus-limits.ts';
import { closedError } from './closed-error.ts';
import { messageFrame } from './nats-frame.ts';
import type { NatsLink } from './nats-link.ts';
import { NatsMessage, type Respond } from './nats-message.ts';
import { BusError } from './port.ts';
import type { WireMessage } from './wire-message.ts';

interface OpenRequest {
  readonly subject: string;
  /** Ends it, once. */
  readonly settle: (
    outcome: { readonly answer: NatsMessage } | { readonly error: unknown },
  ) => void;
}

/** See the module's header. */
export class NatsRequests {
  readonly #link: NatsLink;
  readonly #respond: Respond;
  readonly #maxOpen: number;
  readonly #inbox = createInbox();
  readonly #open = new Map<string, OpenRequest>();
  #listening = false;
  #count = 0;

  /** @param maxOpen requests that may wait for their answers */
  constructor(link: NatsLink, respond: Respond, maxOpen: number = busLimits.maxOpenRequests) {
    this.#link = link;
    this.#maxOpen = maxOpen;
    this.#respond = respond;
    link.onClosed(() => this.#failAll(closedError()));
    link.onServerError((error) => this.#refused(error));
  }

  /**
   * Sends a request.
   * @param headers as the message's check gave them
   * @throws {BusError} `no_responders`, `timeout`, `closed`, `unreachable` when the server does not
   *   let us ask, `full` beyond the open requests that there may be; the signal's reason
   */
  async ask(
    message: WireMessage,
    options: {
      readonly headers: string;
      readonly timeoutMs: number;
      readonly signal: AbortSignal | undefined;
    },
  ): Promise<NatsMessage> {
    const { subject } = message;
    if (this.#open.size >= this.#maxOpen) {
      throw failure(subject, 'full', `${this.#maxOpen} requests are open`);
    }
    this.#listen();
    this.#count += 1;
    const token = this.#count.toString(36);
    const { signal, timeoutMs } = options;
    return await new Promise((resolve, reject) => {
      const late = this.#link.clock.schedule(timeoutMs, () =>
        settle({ error: failure(subject, 'timeout', 'no answer in time') }),
      );
      const onAbort = () => settle({ error: signal?.reason });
      const settle: OpenRequest['settle'] = (outcome) => {
        this.#open.delete(token);
        late[Symbol.dispose]();
        signal?.removeEventListener('abort', onAbort);
        if ('answer' in outcome) resolve(outcome.answer);
        else reject(outcome.error);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#open.set(token, { subject, settle });
      this.#link.send(messageFrame(message, options.headers, `${this.#inbox}.${token}`));
    });
  }

  /** Before the first request: what is sent on one connection arrives in its order. */
  #listen(): void {
    if (this.#listening) return;
    this.#listening = true;
    this.#link.connection.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => {
        if (!error) this.#answered(message);
      },
    });
  }

  #answered(message: Msg): void {
    const request = this.#open.get(message.subject.slice(this.#inbox.length + 1));
    // Answered before, given up, or out of time.
    if (!request) return;
    const answer = new NatsMessage(message, this.#respond);
    request.settle(
      answer.saysNobodyListens
        ? { error: failure(request.subject, 'no_responders', 'nobody listens') }
        : { answer },
    );
  }

  /** The server names the subject that we may not use, but not the request. */
  #refused(error: unknown): void {
    if (!(error instanceof PermissionViolationError)) return;
    if (error.subject === `${this.#inbox}.*`) {
      this.#listening = false;
      this.#failAll(failure(error.subject, 'unreachable', error.message, error));
      return;
    }
    for (const { subject, settle } of this.#open.values()) {
      if (error.operation !== 'publish' || subject !== error.subject) continue;
      settle({ error: failure(subject, 'unreachable', error.message, error) });
      return;
    }
  }

  #failAll(error: BusError): void {
    for (const { settle } of [...this.#open.values()]) settle({ error });
  }
}

function failure(
  subject: string,
  code: BusError['code'],
  reason: string,
  cause?: unknown,
): BusError {
  return new BusError(code, `request to ${subject}: ${reason}`, { cause });
}
