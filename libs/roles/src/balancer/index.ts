export {
  type Balancer,
  type BalancerConfig,
  type BalancerParts,
  type BalancerSnapshot,
  startBalancer,
} from './start-balancer.ts';
