import type { JobId } from '@starling/contracts';
import type { Cluster } from './cluster.ts';
import type { Node } from './node.ts';

/** Every balancer's feed says that the job is stored no more. */
export function tellGone({ balancers, bus }: Cluster, from: Node, jobId: JobId): void {
  for (const balancer of balancers.values()) {
    bus.send(from, balancer.node, () => balancer.step({ kind: 'job_gone', jobId }));
  }
}
