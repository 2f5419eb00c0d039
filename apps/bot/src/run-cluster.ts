/** One cluster: a child of the bot process, with a discord.js Client for its shards. */

import { createSharedBuckets } from '@starling/buckets';
import { connectNats } from '@starling/bus';
import { createRedisConversations } from '@starling/chat';
import { systemClock as clock, systemRandom as random } from '@starling/clock';
import {
  admissionSection,
  botSection,
  budgetsSection,
  type Environment,
  natsSection,
  parseConfig,
  ratesSection,
  redisSection,
  sharingSection,
  telemetrySection,
} from '@starling/config';
import { clusterId } from '@starling/contracts';
import { admissionBudgetsOf, admissionRatesOf, createAdmission } from '@starling/jobs';
import { runProcess } from '@starling/lifecycle';
import { connectRedis } from '@starling/redis';
import { openDiscord, openJobs, settingsErrorOf, startBot } from '@starling/roles/bot';
import { log, startTelemetry } from '@starling/telemetry';
import { ClusterClient, getInfo } from 'discord-hybrid-sharding';
import { botHost } from './bot-host.ts';
import { requiredBotToken } from './bot-token.ts';

/** @returns the exit code */
export async function runCluster(environment: Environment): Promise<number> {
  const { fail, host } = botHost();
  const info = getInfo();
  const name = `c${info.CLUSTER}`;
  return runProcess({
    name,
    clock,
    // Readiness is the parent's to announce: it speaks for all its clusters.
    environment: { ...environment, STARLING_READY: undefined },
    host,
    drainDeadlineMs: botSection.drainDeadlineMs.default,
    log: log('process', 'bot'),
    async build(stack, { signal }) {
      const config = {
        ...parseConfig(botSection, environment),
        ...parseConfig(sharingSection, environment),
      };
      const nats = parseConfig(natsSection, environment);
      const redisConfig = parseConfig(redisSection, environment);
      const telemetry = parseConfig(telemetrySection, environment);
      const rates = admissionRatesOf(parseConfig(ratesSection, environment));
      const budgets = admissionBudgetsOf(parseConfig(budgetsSection, environment));
      const botToken = requiredBotToken(config.botToken);

      stack.use(
        await startTelemetry({
          ...{ service: 'bot', instanceId: name, config: telemetry, clock },
          secrets: [botToken],
        }),
      );
      const bus = stack.use(await connectNats({ ...nats, name: `bot-${name}`, clock, signal }));
      const { connectTimeoutMs } = nats;
      const redis = stack.use(
        await connectRedis({ ...redisConfig, connectTimeoutMs, clock, signal }),
      );
      const { jobsPerUser: perUser, jobsPerGuild: perGuild } = parseConfig(
        admissionSection,
        environment,
      );
      const buckets = stack.use(
        await createSharedBuckets({
          ...{ redis, clock, group: 'bot' },
          processId: `${name}-${random.integer(2 ** 32).toString(36)}`,
          giveUpMs: redisConfig.commandTimeoutMs,
        }),
      );
      const { gateway, interactions, sender } = openDiscord({
        config,
        shards: info.SHARD_LIST,
        shardCount: info.TOTAL_SHARDS,
        sharers: info.CLUSTER_COUNT,
        clock,
        onFatal: fail,
      });
      stack.use(gateway);

      // Before the gateway opens there is somebody to hear it.
      const bot = stack.use(
        await startBot({
          ...{ bus, gateway, interactions, sender, config, clock, random },
          clusterId: clusterId.parse(name),
          jobs: await openJobs({ bus, clock }),
          conversations: createRedisConversations({
            redis,
            maxMessages: config.historyMessages,
            ttlMs: config.conversationTtlMs,
          }),
          admission: createAdmission({ buckets, clock, perUser, perGuild, rates, budgets }),
        }),
      );
      const parent = new ClusterClient({});
      parent.on('message', (question) => {
        if (typeof question !== 'object' || question === null || !('reply' in question)) return;
        const { openAnswers } = bot.snapshot;
        void Promise.resolve(question.reply({ ...gateway.snapshot, openAnswers })).catch(() => {});
      });
      await gateway.connect({ botToken, signal }).catch((error: unknown) => {
        throw settingsErrorOf(error);
      });
      parent.triggerReady();
      return { parts: [bot], drainDeadlineMs: config.drainDeadlineMs };
    },
  });
}
