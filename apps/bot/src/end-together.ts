import type { Drainable } from '@starling/lifecycle';

/**
 * Parts that lean on nothing of each other, as one: they are drained and released at once. One after
 * the other the last would still take questions while the first drains, and have no time left.
 */
export function endTogether(parts: readonly Drainable[]): Drainable {
  return {
    async drain(options) {
      await Promise.all(parts.map((part) => part.drain(options)));
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(parts.map((part) => part[Symbol.asyncDispose]()));
    },
  };
}
