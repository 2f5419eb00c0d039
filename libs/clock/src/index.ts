export { type Clock, systemClock } from './clock.ts';
export { type Deadline, deadlineAfter } from './deadline.ts';
export { type Random, seededRandom, systemRandom } from './random.ts';
export { SimulatedClock } from './simulated-clock.ts';
