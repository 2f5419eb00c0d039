/**
 * The caller's side of an answer: in one piece or as server-sent events. The first byte of a stream
 * leaves with the first text, so that whatever fails before it still has a status of its own and may
 * be tried elsewhere unseen.
 */
import type { ServerResponse } from 'node:http';
import { type ApiProblem, problemBody } from './api-problem.ts';
import {
  CompletionChunks,
  type CompletionHead,
  completionBody,
  type Done,
} from './completion-text.ts';
import { sendBody, sendProblem } from './send-response.ts';

/** What the fleet tells a caller, in this order: text, any number of times, then one ending. */
export interface CallerReply {
  /** Whether the caller has seen anything: then nothing may be tried again unseen. */
  readonly begun: boolean;
  text(text: string): void;
  /** @param rest what the frames left out of the whole text */
  done(outcome: Done, rest: string): void;
  failed(problem: ApiProblem): void;
}

/** A caller that waits for the whole answer. */
export class WholeReply implements CallerReply {
  readonly begun = false;
  readonly #response: ServerResponse;
  readonly #head: CompletionHead;

  constructor(response: ServerResponse, head: CompletionHead) {
    this.#response = response;
    this.#head = head;
  }

  /** The result has it all. */
  text(): void {}

  done(outcome: Done): void {
    sendBody(this.#response, 200, completionBody(this.#head, outcome));
  }

  failed(problem: ApiProblem): void {
    sendProblem(this.#response, problem);
  }
}

/** Text that may wait for a caller that does not read, in UTF-16 units; at more it is cut off. */
const maxBacklog = 64 * 1024;

/** A caller that reads while the model writes. */
export class StreamReply implements CallerReply {
  readonly #response: ServerResponse;
  readonly #chunks: CompletionChunks;
  readonly #onOverflow: () => void;
  #begun = false;
  /** Text that waits until the socket takes more; it goes as one chunk then. */
  #backlog = '';

  constructor(
    response: ServerResponse,
    options: {
      readonly head: CompletionHead;
      readonly includeUsage: boolean;
      /** The caller does not read, and its backlog is full. */
      readonly onOverflow: () => void;
    },
  ) {
    this.#response = response;
    this.#chunks = new CompletionChunks(options.head, options);
    this.#onOverflow = options.onOverflow;
    response.on('drain', () => this.#flush());
  }

  get begun(): boolean {
    return this.#begun;
  }

  text(text: string): void {
    const response = this.#response;
    if (response.writableNeedDrain) {
      this.#backlog += text;
      if (this.#backlog.length > maxBacklog) this.#onOverflow();
      return;
    }
    response.write(this.#opening() + this.#chunks.text(text));
  }

  done(outcome: Done, rest: string): void {
    const text = this.#backlog + rest;
    this.#backlog = '';
    const said = text === '' ? '' : this.#chunks.text(text);
    this.#response.end(this.#opening() + said + this.#chunks.closing(outcome));
  }

  failed(problem: ApiProblem): void {
    if (!this.#begun) {
      sendProblem(this.#response, problem);
      return;
    }
    const said = this.#backlog === '' ? '' : this.#chunks.text(this.#backlog);
    this.#backlog = '';
    this.#response.end(`${said}data: ${problemBody(problem)}\n\n`);
  }

  /** The head of the response, and the first chunk; once. */
  #opening(): string {
    if (this.#begun) return '';
    this.#begun = true;
    this.#response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      // nginx and its like must not collect the stream.
      'x-accel-buffering': 'no',
    });
    return this.#chunks.opening();
  }

  #flush(): void {
    if (this.#backlog === '') return;
    const text = this.#backlog;
    this.#backlog = '';
    this.#response.write(this.#chunks.text(text));
  }
}
