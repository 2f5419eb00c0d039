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
  /** Stops once nothing is left to finish; absent of what is only ever killed. */
  drain?(stopped: () => void): void;
}

/** From the end of a process to the start of the next. */
const restartMs = 500;

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
  cluster.store.capacity = Number.POSITIVE_INFINITY;
  cluster.removersDie = false;
  bus.serverStarts();
  for (const victim of [...balancers.values(), ...workers.values(), ...children]) {
    victim.node.resume();
    bus.heal(victim.node);
    restart(cluster, victim);
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
    case 'full_store':
      cluster.store.capacity = fault.capacity;
      return () => {
        cluster.store.capacity = Number.POSITIVE_INFINITY;
      };
    case 'removers_die':
      cluster.removersDie = true;
      return () => {
        cluster.removersDie = false;
      };
    case 'lost_replies':
      for (const child of children) child.lostReplies = fault.share;
      return () => {
        for (const child of children) child.lostReplies = 0;
      };
    case 'restart_bus':
      tally.count('bus restarted');
      bus.serverDies();
      tally.count('removal undone', cluster.store.crash(cluster.simulation.nowMs));
      return () => bus.serverStarts();
    default:
      return strike(cluster, fault);
  }
}

function strike(
  cluster: Cluster,
  fault: Extract<Fault, { role: string }>,
): (() => void) | undefined {
  const { kind, role, index } = fault;
  const { bus, tally } = cluster;
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
  if (kind === 'drain') {
    if (role === 'child' || !victim.drain) return undefined;
    tally.count(`${role} drained` satisfies FaultName);
    victim.drain(() => cluster.simulation.after(restartMs, () => restart(cluster, victim)));
    return undefined;
  }
  tally.count(`${role} killed` satisfies FaultName);
  if (kind === 'clock') {
    reboot(cluster, victim, fault);
    return undefined;
  }
  victim.stop();
  return () => restart(cluster, victim);
}

/** A host comes up with its clock ahead; then that is set right, or too far back, and it starts again. */
function reboot(
  cluster: Cluster,
  victim: Victim,
  { aheadMs, thenMs }: Extract<Fault, { kind: 'clock' }>,
): void {
  const { simulation, tally } = cluster;
  const { node } = victim;
  tally.count('clock set ahead');
  node.clockAheadMs = aheadMs;
  victim.stop();
  simulation.after(restartMs, () => {
    restart(cluster, victim);
    simulation.after(restartMs, () => {
      tally.count('clock set back');
      node.clockAheadMs = thenMs;
      if (node.alive) victim.stop();
      simulation.after(restartMs, () => restart(cluster, victim));
    });
  });
}

function restart({ balancers, checker }: Cluster, victim: Victim): void {
  if (victim.node.alive) return;
  for (const { id, node } of balancers.values()) if (node === victim.node) checker.restarted(id);
  victim.start();
}

/** The process that removes a job is killed just before, when that is to happen. @returns whether */
export function killRemover(cluster: Cluster, victim: Victim): boolean {
  if (!cluster.removersDie) return false;
  cluster.removersDie = false;
  cluster.tally.count('remover killed');
  victim.stop();
  cluster.simulation.after(restartMs, () => restart(cluster, victim));
  return true;
}
