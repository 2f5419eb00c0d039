import { SimulatedClock } from '@starling/clock';
import { createMemoryAdmission } from '../src/index.ts';
import { admissionSuite } from '../src/testing.ts';

admissionSuite('memory', async (bounds) => {
  const clock = new SimulatedClock();
  return {
    admission: createMemoryAdmission({ ...bounds, clock }),
    nowMs: () => clock.nowMs(),
    pass: (ms) => clock.advance(ms),
    async [Symbol.asyncDispose]() {},
  };
});
