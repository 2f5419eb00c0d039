/** The rules that NATS's wire sets for a message, kept by both adapters. */
import type { Headers } from '@starling/contracts';
import { BusError } from './port.ts';
import { assertSubject } from './subject.ts';

/** What an adapter sends. */
export interface WireMessage {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly headers: Headers;
}

/** `NATS/1.0`, a line for each header, an empty line (NATS ADR-4). */
const headerVersion = 'NATS/1.0';

/**
 * Checks a message before it is sent.
 * @returns its headers as they go over the wire, empty when there are none
 * @throws {TypeError} a subject or header that cannot be sent: a programmer's error
 * @throws {BusError} `too_large`: payload and headers together are over `maxBytes`; the server would
 *   close the connection over it (docs.nats.io, NATS protocol, HPUB and max_payload)
 */
export function assertSendable(message: WireMessage, maxBytes: number): string {
  assertSubject(message.subject);
  const headers = headerBlock(message.headers);
  // A code unit is three bytes at most.
  if (message.payload.byteLength + headers.length * 3 > maxBytes) {
    const bytes = message.payload.byteLength + Buffer.byteLength(headers);
    if (bytes > maxBytes) {
      throw new BusError(
        'too_large',
        `${bytes} bytes to ${message.subject}: the server takes ${maxBytes}`,
      );
    }
  }
  return headers;
}

function headerBlock(headers: Headers): string {
  let lines = '';
  for (const name of Object.keys(headers)) {
    const value = headers[name] ?? '';
    // Who reads it would find the object's prototype under that name.
    if (!/^[!-9;-~]+$/.test(name) || name === '__proto__' || /[\r\n]/.test(value)) {
      throw new TypeError(`the header "${name}" cannot be sent`);
    }
    lines += `${name}: ${value}\r\n`;
  }
  return lines === '' ? '' : `${headerVersion}\r\n${lines}\r\n`;
}

/** What stands in a block of headers: the server's own (`Nats-…`) are left out. */
export interface ReadHeaders {
  /** The block itself. */
  readonly text: string;
  readonly headers: Headers;
  /** A server's word on a message that is none, such as 503: nobody listens. */
  readonly status: number | undefined;
}

/** Reads a block of headers as {@link assertSendable} writes it; of a name given twice the first counts. */
export function readHeaders(block: Uint8Array): ReadHeaders {
  const text = Buffer.from(block.buffer, block.byteOffset, block.byteLength).toString();
  const firstEnd = text.indexOf('\r\n');
  const status = text.slice(headerVersion.length, Math.max(firstEnd, 0)).trim();
  const headers: Record<string, string> = {};
  for (let at = firstEnd + 2; firstEnd >= 0; ) {
    const end = text.indexOf('\r\n', at);
    if (end <= at) break;
    const colon = text.indexOf(':', at);
    if (colon > at && colon < end && !text.startsWith('Nats-', at)) {
      const name = text.slice(at, colon);
      if (!Object.hasOwn(headers, name)) headers[name] = text.slice(colon + 1, end).trim();
    }
    at = end + 2;
  }
  return { text, headers, status: status === '' ? undefined : Number.parseInt(status, 10) };
}

/** A header of a block by its name; of one that is there twice the last, which the server added. */
export function lastHeader(block: string, name: string): string | undefined {
  const line = `\r\n${name}:`;
  const at = block.lastIndexOf(line);
  if (at < 0) return undefined;
  const from = at + line.length;
  return block.slice(from, block.indexOf('\r\n', from)).trim();
}

/** As they arrive: NATS trims the white space around a value. */
export function trimmedHeaders(headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.trim()]));
}

/** Bytes of their own, also of a Buffer, whose `slice` shares them. */
export function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}
