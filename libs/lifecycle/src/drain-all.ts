import type { Drainable } from './drainable.ts';

/**
 * Drains parts against the order of their start, one after the other: what others lean on is drained
 * last. Every part is drained even when one fails; after the signal aborted each is still told, so
 * that it can let go of its work.
 * @throws {AggregateError} of the parts that failed
 */
export async function drainAll(
  parts: readonly Drainable[],
  options: { readonly signal: AbortSignal },
): Promise<void> {
  const errors: unknown[] = [];
  for (const part of parts.toReversed()) {
    try {
      await part.drain(options);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw new AggregateError(errors, 'parts failed to drain');
}
