/** The parent: asks Discord for its shards, and keeps a child process for each cluster of them. */
import { systemClock as clock, systemRandom as random } from '@starling/clock';
import {
  botSection,
  type Environment,
  instanceSection,
  parseConfig,
  telemetrySection,
} from '@starling/config';
import { fetchGatewayInfo } from '@starling/discord';
import { runProcess } from '@starling/lifecycle';
import { settingsErrorOf } from '@starling/roles/bot';
import { log, startTelemetry } from '@starling/telemetry';
import { botHost } from './bot-host.ts';
import { requiredBotToken } from './bot-token.ts';
import { planClusters } from './cluster-plan.ts';
import { endTogether } from './end-together.ts';
import { hybridClusters } from './hybrid-clusters.ts';
import { IdentifyLanes } from './identify-lanes.ts';
import { type KeptCluster, keepCluster } from './keep-cluster.ts';

/** The children have the drain's deadline; this process waits a little longer for their ends. */
const childSlackMs = 2_000;

/** @returns the exit code */
export async function runBot(environment: Environment): Promise<number> {
  const { fail, host } = botHost();
  return runProcess({
    name: 'bot',
    clock,
    environment,
    host,
    drainDeadlineMs: botSection.drainDeadlineMs.default,
    log: log('process', 'bot'),
    async build(stack, { signal }) {
      // Everything is read before anything is started: a wrong setting leaves nothing behind.
      const config = parseConfig(botSection, environment);
      const instance = parseConfig(instanceSection, environment);
      const telemetry = parseConfig(telemetrySection, environment);
      const botToken = requiredBotToken(config.botToken);
      const instanceId = instance.id ?? 'bot';

      stack.use(
        await startTelemetry({
          ...{ service: 'bot', instanceId, config: telemetry, clock },
          secrets: [botToken],
        }),
      );
      const info = await fetchGatewayInfo({ apiUrl: config.apiUrl, botToken, signal }).catch(
        (error: unknown) => {
          throw settingsErrorOf(error);
        },
      );
      const plan = planClusters(config, info);
      const lanes = new IdentifyLanes({ clock, maxConcurrency: info.maxConcurrency });
      const { shardsPerCluster } = config;
      const launcherOf = hybridClusters({ plan, shardsPerCluster, botToken });

      const failed = new AbortController();
      const start = { signal: AbortSignal.any([signal, failed.signal]) };
      const clusters = await allOrNone(
        plan.clusters.map((cluster) =>
          keepCluster(
            {
              name: `c${cluster.number}`,
              shards: cluster.shards,
              launch: launcherOf(cluster),
              ...{ lanes, clock, random, onGaveUp: fail },
              logger: log('clusters', 'bot'),
              readyTimeoutMs: config.clusterReadyTimeoutMs,
              heartbeatMs: config.clusterHeartbeatMs,
            },
            start,
          ),
        ),
        failed,
      );
      return {
        parts: [endTogether(clusters)],
        drainDeadlineMs: config.drainDeadlineMs + childSlackMs,
        ready: { shards: plan.shardCount, clusters: clusters.map(({ pid }) => pid) },
      };
    },
  });
}

/** Every cluster; when one cannot start the others are called off and ended. */
async function allOrNone(
  starting: readonly Promise<KeptCluster>[],
  failed: AbortController,
): Promise<readonly KeptCluster[]> {
  try {
    return await Promise.all(starting);
  } catch (error) {
    failed.abort(error);
    for (const start of await Promise.allSettled(starting)) {
      if (start.status === 'fulfilled') await start.value[Symbol.asyncDispose]();
    }
    throw error;
  }
}
