import type { IncomingMessage } from 'node:http';

/** Calls back once with the body's text, or with `too-large` as soon as it is; never after an abort. */
export function readBody(
  request: IncomingMessage,
  bytesMax: number,
  done: (result: { readonly text: string } | 'too-large') => void,
): void {
  const parts: Buffer[] = [];
  let size = 0;
  const onData = (part: Buffer) => {
    size += part.length;
    if (size > bytesMax) {
      request.off('data', onData);
      request.off('end', onEnd);
      done('too-large');
      return;
    }
    parts.push(part);
  };
  const onEnd = () => {
    const [only] = parts;
    const bytes = parts.length === 1 && only ? only : Buffer.concat(parts, size);
    done({ text: bytes.toString('utf8') });
  };
  request.on('data', onData);
  request.on('end', onEnd);
}
