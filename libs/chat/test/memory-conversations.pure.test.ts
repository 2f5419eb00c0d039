import { SimulatedClock } from '@starling/clock';
import { createMemoryConversations } from '../src/memory-conversations.ts';
import { conversationsSuite } from '../src/testing.ts';

conversationsSuite('memory', async (bounds) => {
  const clock = new SimulatedClock();
  return {
    conversations: createMemoryConversations({ ...bounds, clock }),
    pass: (ms) => clock.advance(ms),
    async [Symbol.asyncDispose]() {},
  };
});
