/** Byte streams for tests, cut wherever a test wants them cut. */
import fc from 'fast-check';

export function bytesOf(...chunks: readonly (string | Uint8Array)[]): Uint8Array[] {
  return chunks.map((chunk) => (typeof chunk === 'string' ? Buffer.from(chunk) : chunk));
}

/** The same bytes cut at the given places. */
export function cutAt(text: string, cuts: readonly number[]): Uint8Array[] {
  const bytes = Buffer.from(text);
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const chunks: Uint8Array[] = [];
  let from = 0;
  for (const place of [...places, bytes.length]) {
    chunks.push(bytes.subarray(from, place));
    from = place;
  }
  return chunks;
}

export const anyCuts = fc.array(fc.nat(5_000), { maxLength: 30 });

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
