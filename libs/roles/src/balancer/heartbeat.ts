import type { WorkerLoad } from '@starling/balance';
import { type BalancerHeartbeat, balancerHeartbeatContract, encode } from '@starling/contracts';

/** Models told at most: the contract's bound. */
const maxModels = 100;

/** A heartbeat; the models that workers serve stand in it when every one of them said. */
export function heartbeatOf(
  self: Pick<BalancerHeartbeat, 'balancerId' | 'epoch' | 'draining'>,
  workers: Iterable<WorkerLoad>,
): Uint8Array {
  const models = new Set<string>();
  let known = false;
  for (const { models: of, state } of workers) {
    if (state.kind === 'dead') continue;
    known = of !== undefined;
    if (!of) break;
    for (const model of of.served) models.add(model);
  }
  return encode(balancerHeartbeatContract, {
    ...self,
    ...(known && { models: [...models].slice(0, maxModels) }),
  });
}
