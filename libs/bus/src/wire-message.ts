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

/**
 * Checks a message before it is sent.
 * @throws {TypeError} a subject or header that cannot be sent: a programmer's error
 * @throws {BusError} `too_large`: payload and headers together are over `maxBytes`; the server would
 *   close the connection over it (docs.nats.io, NATS protocol, HPUB and max_payload)
 */
export function assertSendable(message: WireMessage, maxBytes: number): void {
  assertSubject(message.subject);
  const bytes = message.payload.byteLength + headerBytes(message.headers);
  if (bytes > maxBytes) {
    throw new BusError(
      'too_large',
      `${bytes} bytes to ${message.subject}: the server takes ${maxBytes}`,
    );
  }
}

/** `NATS/1.0`, a line for each header, an empty line (NATS ADR-4). */
function headerBytes(headers: Headers): number {
  let bytes = 0;
  for (const [name, value] of Object.entries(headers)) {
    if (!/^[!-9;-~]+$/.test(name) || /[\r\n]/.test(value)) {
      throw new TypeError(`the header "${name}" cannot be sent`);
    }
    bytes += name.length + Buffer.byteLength(value) + 4;
  }
  return bytes === 0 ? 0 : bytes + 12;
}

/** As they arrive: NATS trims the white space around a value. */
export function trimmedHeaders(headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.trim()]));
}
