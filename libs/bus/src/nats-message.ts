import type { Headers } from '@starling/contracts';
import type { Msg, MsgImpl } from 'nats';
import type { BusMessage } from './port.ts';
import { lastHeader, type ReadHeaders, readHeaders } from './wire-message.ts';

/** Sends an answer to the inbox of whoever asked. */
export type Respond = (inbox: string, payload: Uint8Array, headers: Headers) => void;

const none: ReadHeaders = { text: '', headers: {}, status: undefined };
/** A server's word that nobody listens (NATS ADR-17). */
const noResponders = 503;

/** A message as the client received it; subject and headers are read when somebody asks for them. */
export class NatsMessage implements BusMessage {
  readonly payload: Uint8Array;
  readonly #message: MsgImpl;
  readonly #respond: Respond;
  #read: ReadHeaders | undefined;

  constructor(message: Msg, respond: Respond) {
    this.#message = message as MsgImpl;
    this.#respond = respond;
    this.payload = message.data;
  }

  get subject(): string {
    return this.#message.subject;
  }

  /** Where an answer is wanted; empty when none is. */
  get reply(): string {
    return this.#message.reply;
  }

  get headers(): Headers {
    return this.#block().headers;
  }

  /** The server's word on an answer that is none, such as 404. */
  get status(): number | undefined {
    return this.#block().status;
  }

  /** One of the server's own headers (`Nats-…`). */
  serverHeader(name: string): string | undefined {
    return lastHeader(this.#block().text, name);
  }

  /** Whether this is the server's answer to a request that nobody listens to. */
  get saysNobodyListens(): boolean {
    return this.payload.byteLength === 0 && this.#block().status === noResponders;
  }

  respond(payload: Uint8Array, options?: { readonly headers?: Headers }): void {
    this.#respond(this.reply, payload, options?.headers ?? {});
  }

  #block(): ReadHeaders {
    const { _msg: frame, _rdata: bytes } = this.#message;
    this.#read ??= frame.hdr > 0 ? readHeaders(bytes.subarray(0, frame.hdr)) : none;
    return this.#read;
  }
}
