export type {
  Balancer,
  BalancerConfig,
  BalancerParts,
  BalancerSnapshot,
} from './balancer-parts.ts';
export { startBalancer } from './start-balancer.ts';
