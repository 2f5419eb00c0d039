/** A home balancer by script, for whoever tests the front door. */
export {
  FakeHome,
  type FakeHomeOptions,
  type HomeStep,
  homeAnswer,
  type Submission,
} from './fake-home.ts';
