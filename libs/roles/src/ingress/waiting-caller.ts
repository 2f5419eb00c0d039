/**
 * One caller of a durable job. Several may wait for the same one, each having seen another part of it:
 * what a caller is told goes on where its own text ends.
 */
import type { Context } from '@starling/telemetry';
import type { FrameAssembly } from '../delivery/frame-assembly.ts';
import { type ApiProblem, jobProblem } from './api-problem.ts';
import type { CallerReply } from './caller-reply.ts';
import type { ChatRequest } from './chat-request.ts';
import type { Done } from './completion-text.ts';
import type { Ending } from './open-job.ts';
import { type Fingerprint, fingerprintOf } from './request-fingerprint.ts';

/** A request whose job outlives its connection. */
export interface DurableAsk {
  readonly requestId: string;
  readonly caller: string;
  /** By which the caller asks for the answer again. */
  readonly key: string;
  readonly request: ChatRequest;
  /** The reply, once it is known whose answer it is: equal keys are told equal ids and times. */
  readonly replyAs: (answer: { readonly id: string; readonly createdAtMs: number }) => CallerReply;
  /** The trace of the request. */
  readonly context: Context;
  /** When the request arrived, monotonic. */
  readonly arrivedAtMs: number;
  /** What the key stood for; before anything is said. */
  readonly onFound: (found: 'new' | 'running' | 'ended') => void;
  /** The first text is about to be said. */
  readonly onFirst: () => void;
  /** Once, whatever happens. */
  readonly onEnded: (ending: Ending) => void;
}

/** Its caller has seen text that the answer does not begin with. */
const begunAnew: ApiProblem = {
  ...jobProblem('answer_cut'),
  message:
    'The answer broke off and was begun anew: ask again with the same Idempotency-Key to get it whole.',
};

export class WaitingCaller {
  readonly ask: DurableAsk;
  readonly fingerprint: Fingerprint;
  #reply: CallerReply | undefined;
  /** Text that it was told, and of which attempt. */
  #told = '';
  #attempt = 0;
  #over = false;

  constructor(ask: DurableAsk) {
    this.ask = ask;
    this.fingerprint = fingerprintOf(ask.request);
  }

  /** Nothing more is said to it. */
  get over(): boolean {
    return this.#over;
  }

  /** Whose answer it gets. */
  answeredBy(answer: { readonly id: string; readonly createdAtMs: number }): void {
    this.#reply ??= this.ask.replyAs(answer);
  }

  /** The text so far. A later attempt goes on unseen as long as it says the same. */
  tell({ attempt, text }: FrameAssembly): void {
    if (this.#over || !this.ask.request.stream) return;
    if (attempt !== this.#attempt && !text.startsWith(this.#told)) {
      if (!this.#told.startsWith(text)) this.fail(begunAnew);
      return;
    }
    this.#attempt = attempt;
    const more = text.slice(this.#told.length);
    if (more === '') return;
    if (this.#told === '') this.ask.onFirst();
    this.#told = text;
    this.#reply?.text(more);
  }

  /** The answer as it stands in the ledger. */
  finish(outcome: Done): void {
    if (this.#over) return;
    if (!outcome.text.startsWith(this.#told)) {
      this.fail(begunAnew);
      return;
    }
    if (this.#told === '' && this.ask.request.stream) this.ask.onFirst();
    this.#end({ kind: 'answered' });
    this.#reply?.done(outcome, outcome.text.slice(this.#told.length));
  }

  fail(problem: ApiProblem): void {
    if (this.#over) return;
    this.#end({ kind: 'failed', problem });
    const { replyAs, requestId } = this.ask;
    this.#reply ??= replyAs({ id: requestId, createdAtMs: 0 });
    this.#reply.failed(problem);
  }

  /** It went away. */
  leave(why: Extract<Ending, { kind: 'left' }>['why']): void {
    if (!this.#over) this.#end({ kind: 'left', why });
  }

  #end(ending: Ending): void {
    this.#over = true;
    this.ask.onEnded(ending);
  }
}
