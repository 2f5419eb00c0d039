/**
 * Clusters as children of `discord-hybrid-sharding`. Of that package only what holds up is used:
 * `createCluster`, `spawn`, `request`. Its queue, respawn, heartbeat and evals are left alone, and
 * each of its ends is our own (facts §1.3, §1.5).
 */
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Cluster, ClusterManager } from 'discord-hybrid-sharding';
import type { ClusterExit, ClusterProcess, LaunchCluster } from './cluster-launcher.ts';
import type { PlannedCluster, ShardPlan } from './cluster-plan.ts';

/** What a child is asked; it answers anything at all. */
const pingQuestion = { question: 'ping' } as const;

/** A launcher for each planned cluster. The bot token reaches the children by their environment. */
export function hybridClusters(options: {
  readonly plan: ShardPlan;
  readonly shardsPerCluster: number;
  readonly botToken: string;
}): (cluster: PlannedCluster) => LaunchCluster {
  const { plan } = options;
  const manager = new ClusterManager(fileURLToPath(new URL('./main.ts', import.meta.url)), {
    mode: 'process',
    token: options.botToken,
    // Always a number: `auto` would ask discord.com itself, wherever our Discord is.
    totalShards: plan.shardCount,
    totalClusters: plan.clusters.length,
    shardsPerClusters: options.shardsPerCluster,
    respawn: false,
    execArgv: [...process.execArgv],
  });
  return (planned) => {
    const cluster = manager.createCluster(planned.number, [...planned.shards], plan.shardCount);
    return ({ readyTimeoutMs }) => launch(cluster, readyTimeoutMs);
  };
}

function launch(cluster: Cluster, readyTimeoutMs: number): ClusterProcess {
  let child: ChildProcess | undefined;
  // The process is created within `spawn`, before it first waits.
  cluster.once('spawn', (thread) => {
    if (thread && 'connected' in thread) child = thread;
  });
  const ready = cluster.spawn(readyTimeoutMs).then(() => {});
  ready.catch(() => {});
  const exited = Promise.withResolvers<ClusterExit>();
  const gone = { code: null, signal: null };
  child?.once('exit', (code, signal) => exited.resolve({ code, signal }));
  child?.once('error', () => {
    // A process that could not be made has no exit.
    if (child?.pid === undefined) exited.resolve(gone);
  });
  if (!child) exited.resolve(gone);
  return {
    pid: child?.pid,
    ready,
    exited: exited.promise,
    async ping(timeoutMs) {
      // On a closed channel the package's send would reject where nobody can catch it.
      if (!child?.connected) throw new Error('its channel is closed');
      await cluster.request({ ...pingQuestion, options: { timeout: timeoutMs } });
    },
    signal(signal) {
      child?.kill(signal);
    },
  };
}
