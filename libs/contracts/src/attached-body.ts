/**
 * A message with a body that those who pass it on need not read: its head is a contract's payload, one
 * line of JSON, and what follows the first line feed is the body's bytes as they are.
 */

const lineFeed = 0x0a;

/** @param head as `encode` makes it: JSON has no line feed of its own */
export function attachBody(head: Uint8Array, body: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(head.byteLength + 1 + body.byteLength);
  bytes.set(head);
  bytes[head.byteLength] = lineFeed;
  bytes.set(body, head.byteLength + 1);
  return bytes;
}

/** Both parts as views of the message's bytes; `body` is absent from a message that has none. */
export function detachBody(bytes: Uint8Array): {
  readonly head: Uint8Array;
  readonly body: Uint8Array | undefined;
} {
  const at = bytes.indexOf(lineFeed);
  return at === -1
    ? { head: bytes, body: undefined }
    : { head: bytes.subarray(0, at), body: bytes.subarray(at + 1) };
}
