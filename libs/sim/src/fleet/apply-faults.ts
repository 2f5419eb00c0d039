import { calm } from './bus.ts';
import type { Cluster } from './cluster.ts';
import type { Fault } from './fault-plan.ts';
import type { Node } from './node.ts';
import type { FaultName } from './tally.ts';

/** A process of the cluster as a fault sees it. */
interface Victim {
  readonly node: Node;
  start(): void;
  stop(): void;
}

/** Plans every fault of a plan and its end. */
export function applyFaults(cluster: Cluster, faults: readonly Fault[]): void {
  const { simulation } = cluster;
  for (const fault of faults) {
    simulation.after(fault.atMs, () => {
      const end = begin(cluster, fault);
      if (end) simulation.after(fault.lastsMs, end);
    });
  }
}

/** Ends every fault that still lasts. */
export function healAll(cluster: Cluster): void {
  const { bus, balancers, workers, children } = cluster;
  bus.weather = calm;
  bus.serviceMs = 0;
  bus.serverStarts();
  for (const victim of [...balancers.values(), ...workers.values(), ...children]) {
    victim.node.resume();
    bus.heal(victim.node);
    if (!victim.node.alive) victim.start();
  }
  for (const child of children) child.lostReplies = 0;
}

function begin(cluster: Cluster, fault: Fault): (() => void) | undefined {
  const { bus, tally, children } = cluster;
  switch (fault.kind) {
    case 'weather': {
      const { weather } = fault;
      bus.weather = weather;
      return () => {
        if (bus.weather === weather) bus.weather = calm;
      };
    }
    case 'slow_store':
      bus.serviceMs = fault.serviceMs;
      return () => {
        if (bus.serviceMs === fault.serviceMs) bus.serviceMs = 0;
      };
    case 'lost_replies':
      for (const child of children) child.lostReplies = fault.share;
      return () => {
        for (const child of children) child.lostReplies = 0;
      };
    case 'restart_bus':
      tally.count('bus restarted');
      bus.serverDies();
      return () => bus.serverStarts();
    default:
      return strike(cluster, fault);
  }
}

function strike(
  cluster: Cluster,
  { kind, role, index }: Extract<Fault, { role: string }>,
): (() => void) | undefined {
  const { bus, tally, checker } = cluster;
  const victims: readonly Victim[] = {
    worker: [...cluster.workers.values()],
    balancer: [...cluster.balancers.values()],
    child: cluster.children,
  }[role];
  const victim = victims[index % victims.length];
  if (!victim?.node.alive || victim.node.paused) return undefined;
  const { node } = victim;
  if (kind === 'cut') {
    tally.count('node cut off');
    bus.cut(node);
    return () => bus.heal(node);
  }
  if (kind === 'pause') {
    // A paused child answers late and nothing else; only those that others watch are of interest.
    if (role === 'child') return undefined;
    tally.count(`${role} paused` satisfies FaultName);
    const { life } = node;
    node.pause();
    return () => {
      if (node.life === life) node.resume();
    };
  }
  tally.count(`${role} killed` satisfies FaultName);
  victim.stop();
  return () => {
    if (node.alive) return;
    for (const balancer of cluster.balancers.values()) {
      if (balancer.node === node) checker.restarted(balancer.id);
    }
    victim.start();
  };
}
