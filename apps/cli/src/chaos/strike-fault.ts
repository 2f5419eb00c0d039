import type { FaultKind } from './fault-kinds.ts';
import type { FaultSite } from './fault-site.ts';
import { cutNetwork, loseReplies, pausePart } from './hold-faults.ts';
import { emptyRedis, flushRedis, killCluster, killPart, killTogether } from './kill-faults.ts';

/**
 * Strikes once, and resolves with what was struck when that is back.
 * @throws {NoTargetError} nothing was struck
 * @throws {NotRecoveredError} it was struck and did not come back
 */
export function strikeFault(kind: FaultKind, site: FaultSite): Promise<string> {
  switch (kind) {
    case 'kill-worker':
      return killPart(site, 'worker-');
    case 'kill-balancer':
      return killPart(site, 'balancer-');
    case 'kill-bot':
      return killCluster(site);
    case 'restart-nats':
      return killPart(site, 'nats');
    case 'restart-redis':
      return killPart(site, 'redis');
    case 'restart-both':
      return killTogether(site, ['nats', 'redis']);
    case 'restart-redis-empty':
      return emptyRedis(site);
    case 'redis-stop':
      return pausePart(site, 'redis');
    case 'redis-flush':
      return flushRedis(site);
    case 'pause-worker':
      return pausePart(site, 'worker-');
    case 'pause-balancer':
      return pausePart(site, 'balancer-');
    case 'cut-network':
      return cutNetwork(site);
    case 'lost-post-reply':
      return loseReplies(site);
  }
}
