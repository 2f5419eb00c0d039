import { busContract } from '@starling/bus/testing';
import { SimulatedClock } from '@starling/clock';
import { createMemoryBus } from '../src/index.ts';

busContract('the in-memory bus', async () => {
  const clock = new SimulatedClock();
  const bus = createMemoryBus({ clock });
  return {
    bus,
    another: async () => bus,
    advance: (durationMs) => clock.advance(durationMs),
    [Symbol.asyncDispose]: () => Promise.resolve(bus[Symbol.asyncDispose]()),
  };
});
