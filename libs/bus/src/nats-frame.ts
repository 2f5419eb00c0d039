import type { WireMessage } from './wire-message.ts';

const cr = 13;
const lf = 10;

/**
 * A message as the client sends it: one command of the NATS protocol (docs.nats.io, PUB and HPUB) in
 * one piece. The client would make it of four pieces, and its headers of an object of theirs.
 * @param headers as the message's check gave them, empty when there are none
 * @param reply subject that the answer is wanted on
 */
export function messageFrame(
  { subject, payload }: WireMessage,
  headers: string,
  reply?: string,
): Uint8Array {
  const headerBytes = Buffer.byteLength(headers);
  const totalBytes = headerBytes + payload.byteLength;
  const to = reply === undefined ? subject : `${subject} ${reply}`;
  const command =
    headerBytes === 0
      ? `PUB ${to} ${totalBytes}\r\n`
      : `HPUB ${to} ${headerBytes} ${totalBytes}\r\n`;
  const head = command + headers;
  const headBytes = Buffer.byteLength(head);
  const frame = Buffer.allocUnsafe(headBytes + payload.byteLength + 2);
  frame.write(head, 0);
  frame.set(payload, headBytes);
  frame[frame.length - 2] = cr;
  frame[frame.length - 1] = lf;
  return frame;
}
