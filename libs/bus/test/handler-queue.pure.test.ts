import fc from 'fast-check';
import { expect, it } from 'vitest';
import { HandlerQueue } from '../src/handler-queue.ts';

it('handles or drops each item once, the oldest first, within its bounds', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat({ max: 2_500 }), { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 1_500 }),
      async (bursts, concurrency, maxPending) => {
        const handled: number[] = [];
        let running = 0;
        let mostRunning = 0;
        let mostPending = 0;
        let dropped = 0;
        let sent = 0;
        const queue = new HandlerQueue<number>({
          concurrency,
          maxPending,
          onDropped: (total) => {
            dropped = total;
          },
          onError: (error) => expect(error).toBe(undefined),
          handle: async (item) => {
            running += 1;
            mostRunning = Math.max(mostRunning, running);
            handled.push(item);
            await Promise.resolve();
            running -= 1;
          },
        });
        for (const burst of bursts) {
          for (let at = 0; at < burst; at += 1) {
            queue.push(sent);
            sent += 1;
            mostPending = Math.max(mostPending, queue.pending);
          }
          await Promise.resolve();
        }
        await queue.idle();
        expect(mostRunning).toBeLessThanOrEqual(concurrency);
        expect(mostPending).toBeLessThanOrEqual(maxPending);
        expect(handled.length + dropped).toBe(sent);
        expect(handled).toEqual([...handled].sort((a, b) => a - b));
        if (sent > 0) expect(handled.at(-1)).toBe(sent - 1);
      },
    ),
    { numRuns: 50 },
  );
});
