/**
 * Pulls from the takers' consumer (NATS ADR-13), each for a single message, so that its end is always
 * told: by the message, or by a status.
 *
 * A pull is never taken back. Giving up its inbox looks exact and is not: a message that the server
 * has assigned to it by then may wait out the whole ack wait (seen on 2.9.10 with messages that had
 * been put back). So a pull that nobody waits for any more stays until it ends; the next taker takes
 * it over, and a message that finds no taker is put back at once. Pulls are short for that reason.
 */
import { createInbox, type Msg, nanos } from 'nats';
import type { NatsLink } from './nats-link.ts';

/** The longest that a pull waits at the server: what a drain may have to wait for. */
const maxPullMs = 1_000;
/** Slack for the server's answer after a pull has ended there. */
const answerGraceMs = 1_000;

/** `message`; or none because the time is over (`expired`), or because something broke (`lost`). */
export type PullResult =
  | { readonly kind: 'message'; readonly message: Msg }
  | { readonly kind: 'expired' }
  | { readonly kind: 'lost' };

interface Pull {
  readonly ended: Promise<void>;
  result: PullResult | undefined;
  /** Whether a taker waits for it. */
  wanted: boolean;
}

/** What {@link NatsPuller} is built from. */
export interface NatsPullerParts {
  readonly link: NatsLink;
  /** The consumer's `$JS.API.CONSUMER.MSG.NEXT…` subject. */
  readonly subject: string;
}

/** See the module's header. */
export class NatsPuller {
  readonly #link: NatsLink;
  readonly #subject: string;
  readonly #open = new Set<Pull>();

  constructor(parts: NatsPullerParts) {
    this.#link = parts.link;
    this.#subject = parts.subject;
  }

  /** One message, waiting for it until the time is over, the signal fires, or the pull is lost. */
  async next(options: {
    readonly waitMs: number;
    readonly signal: AbortSignal;
  }): Promise<PullResult> {
    const { waitMs, signal } = options;
    if (this.#link.state !== 'connected') return { kind: 'lost' };
    if (waitMs <= 0) {
      // Answered at once, so it is not given up.
      const now = this.#start(0);
      await now.ended;
      return now.result ?? { kind: 'lost' };
    }
    const pull = this.#unwanted() ?? this.#start(Math.min(waitMs, maxPullMs));
    pull.wanted = true;
    await this.#link.within(pull.ended, { timeoutMs: waitMs, signal });
    pull.wanted = false;
    return pull.result ?? { kind: 'expired' };
  }

  /** Puts a message back; another taker gets it at once. */
  putBack(message: Msg): void {
    if (message.reply && this.#link.state === 'connected') {
      this.#link.connection.publish(message.reply, '-NAK');
    }
  }

  /** Resolves when no pull is open at the server. */
  async idle(): Promise<void> {
    await Promise.all([...this.#open].map((pull) => pull.ended));
  }

  #unwanted(): Pull | undefined {
    for (const pull of this.#open) if (!pull.wanted) return pull;
    return undefined;
  }

  /** @param waitMs 0: only what is there now */
  #start(waitMs: number): Pull {
    const { connection } = this.#link;
    const ended = Promise.withResolvers<void>();
    const pull: Pull = { ended: ended.promise, result: undefined, wanted: true };
    this.#open.add(pull);
    const end = (result: PullResult) => {
      if (pull.result) return;
      pull.result = result;
      this.#open.delete(pull);
      subscription.unsubscribe();
      if (result.kind === 'message' && !pull.wanted) this.putBack(result.message);
      ended.resolve();
    };
    const inbox = createInbox();
    const subscription = connection.subscribe(inbox, {
      callback: (error, message) => {
        const result = error ? ({ kind: 'lost' } as const) : resultOf(message);
        if (result) end(result);
      },
    });
    const request = waitMs > 0 ? { batch: 1, expires: nanos(waitMs) } : { batch: 1, no_wait: true };
    connection.publish(this.#subject, JSON.stringify(request), { reply: inbox });
    void this.#link
      .within(ended.promise, { timeoutMs: waitMs + answerGraceMs })
      .then(() => end({ kind: 'lost' }));
    return pull;
  }
}

/** What an answer means; undefined for a heartbeat. Status codes: NATS ADR-13. */
function resultOf(message: Msg): PullResult | undefined {
  const code = message.headers?.code ?? 0;
  if (code === 0) return { kind: 'message', message };
  if (code === 100) return undefined;
  // 404: no messages. 408: the pull's time is over, or others wait.
  return { kind: code === 404 || code === 408 ? 'expired' : 'lost' };
}
