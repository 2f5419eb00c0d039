import type { IncomingMessage } from 'node:http';

/** The largest body of a request, bytes. */
export const maxBodyBytes = 1024 * 1024;
/** What is read and thrown away of a body that is too large, so that its sender reads the answer. */
const maxDiscardedBytes = 16 * 1024 * 1024;

/** A body as text; or why there is none. `gone`: its sender went away in the middle. */
export type BodyRead = { readonly text: string } | 'too_large' | 'not_utf8' | 'gone';

const decoder = new TextDecoder('utf-8', { fatal: true });

/** Reads a whole body. How long it may take is the server's `requestTimeout`. Never rejects. */
export function readBody(request: IncomingMessage): Promise<BodyRead> {
  const { promise, resolve } = Promise.withResolvers<BodyRead>();
  const parts: Uint8Array[] = [];
  let size = 0;
  const tooLarge = () => {
    parts.length = 0;
    resolve('too_large');
  };
  if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) tooLarge();
  request.on('data', (part: Uint8Array) => {
    size += part.byteLength;
    if (size > maxDiscardedBytes) request.destroy();
    else if (size > maxBodyBytes) tooLarge();
    else parts.push(part);
  });
  request.on('end', () => {
    const [only] = parts;
    try {
      resolve({ text: decoder.decode(parts.length === 1 ? only : Buffer.concat(parts)) });
    } catch {
      resolve('not_utf8');
    }
  });
  request.on('close', () => resolve('gone'));
  return promise;
}
