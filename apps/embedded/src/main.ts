/**
 * The embedded mode: bot, balancer and worker in one process, on the in-memory bus and stores behind
 * the same ports. What waits and what was said ends with the process.
 */
import { createMemoryBuckets } from '@starling/buckets';
import { createMemoryBus } from '@starling/bus';
import { createMemoryConversations } from '@starling/chat';
import { systemClock as clock, systemRandom as random } from '@starling/clock';
import {
  admissionSection,
  balancerSection,
  botSection,
  budgetsSection,
  deliverySection,
  parseConfig,
  providerSection,
  ratesSection,
  sharingSection,
  telemetrySection,
  workerSection,
} from '@starling/config';
import {
  balancerHeartbeatContract,
  balancerId,
  clusterId,
  decode,
  exchangeContract,
  subjects,
  workerId,
} from '@starling/contracts';
import { admissionBudgetsOf, admissionRatesOf, createMemoryAdmission } from '@starling/jobs';
import { runProcess } from '@starling/lifecycle';
import { providerFrom } from '@starling/llm';
import {
  openDiscord,
  openJobs,
  settingsErrorOf,
  startBalancer,
  startBot,
  startWorker,
} from '@starling/roles';
import { log, startTelemetry } from '@starling/telemetry';
import { requireBotToken, shardsOf } from './discord-settings.ts';

const environment = process.env;

await runProcess({
  name: 'embedded',
  clock,
  environment,
  drainDeadlineMs: botSection.drainDeadlineMs.default,
  log: log('process', 'embedded'),
  async build(stack, { signal }) {
    // Everything is read before anything is started: a wrong setting leaves nothing behind.
    const bot = requireBotToken(parseConfig(botSection, environment));
    const sharing = parseConfig(sharingSection, environment);
    const delivery = { ...parseConfig(deliverySection, environment), ...sharing };
    const admission = parseConfig(admissionSection, environment);
    const rates = admissionRatesOf(parseConfig(ratesSection, environment));
    const budgets = admissionBudgetsOf(parseConfig(budgetsSection, environment));
    const balancer = { ...parseConfig(balancerSection, environment), ...admission, ...delivery };
    const worker = { ...parseConfig(workerSection, environment), ...delivery };
    const llm = parseConfig(providerSection, environment);
    const buckets = createMemoryBuckets({ clock });
    const provider = providerFrom(llm, { clock, random, environment, buckets });
    const telemetry = parseConfig(telemetrySection, environment);

    stack.use(
      await startTelemetry({
        service: 'starling',
        instanceId: `embedded-${process.pid}`,
        config: telemetry,
        clock,
        secrets: [bot.botToken],
      }),
    );
    stack.use(provider);
    const bus = stack.use(createMemoryBus({ clock, random }));
    // Whoever started us shows how exchanges end, and the load; on a bus in memory nobody else could listen.
    await bus.messaging.subscribe(subjects.allExchanges, ({ payload }) => {
      const decoded = decode(exchangeContract, payload);
      if (decoded.ok) process.send?.({ exchange: decoded.value });
    });
    await bus.messaging.subscribe(subjects.balancerHeartbeat, ({ payload }) => {
      const decoded = decode(balancerHeartbeatContract, payload);
      if (decoded.ok) process.send?.({ heartbeat: decoded.value });
    });

    const { gateway, interactions, sender } = openDiscord({
      config: bot,
      ...(await shardsOf(bot, signal)),
      sharers: 1,
      clock,
      // Nobody catches it, so it ends the process in order and with its reason.
      onFatal: (error) => void Promise.reject(error),
    });
    stack.use(gateway);
    const bounds = { maxMessages: bot.historyMessages, ttlMs: bot.conversationTtlMs };

    const parts = [
      stack.use(
        await startWorker({
          bus,
          clock,
          random,
          provider,
          modelSource: provider.models,
          workerId: workerId.parse('embedded'),
          config: worker,
        }),
      ),
      stack.use(
        await startBalancer({
          bus,
          clock,
          random,
          balancerId: balancerId.parse('embedded'),
          config: balancer,
        }),
      ),
      stack.use(
        await startBot({
          clusterId: clusterId.parse('c0'),
          bus,
          jobs: await openJobs({ bus, clock }),
          gateway,
          sender,
          interactions,
          conversations: createMemoryConversations({ ...bounds, clock }),
          admission: createMemoryAdmission({
            clock,
            perUser: admission.jobsPerUser,
            perGuild: admission.jobsPerGuild,
            rates,
            budgets,
          }),
          config: { ...bot, ...sharing },
          clock,
          random,
        }),
      ),
    ];
    await gateway.connect({ botToken: bot.botToken, signal }).catch((error: unknown) => {
      throw settingsErrorOf(error);
    });
    return { parts, drainDeadlineMs: bot.drainDeadlineMs };
  },
});
