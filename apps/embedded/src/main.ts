/**
 * The embedded mode: bot, balancer and worker in one process, on the in-memory bus and stores behind
 * the same ports. What waits and what was said ends with the process.
 */
import { createMemoryBus } from '@starling/bus';
import { createMemoryConversations } from '@starling/chat';
import { systemClock as clock, systemRandom as random } from '@starling/clock';
import {
  balancerSection,
  botSection,
  deliverySection,
  parseConfig,
  providerSection,
  telemetrySection,
  workerSection,
} from '@starling/config';
import {
  balancerId,
  clusterId,
  decode,
  exchangeContract,
  subjects,
  workerId,
} from '@starling/contracts';
import { ChannelSender, ClientGateway, createClient, EditPace } from '@starling/discord';
import { createMemoryAdmission } from '@starling/jobs';
import { runProcess } from '@starling/lifecycle';
import { providerFrom } from '@starling/llm';
import { openJobs, startBalancer, startBot, startWorker } from '@starling/roles';
import { log, startTelemetry, telemetryFor } from '@starling/telemetry';
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
    const delivery = parseConfig(deliverySection, environment);
    const balancer = { ...parseConfig(balancerSection, environment), ...delivery };
    const worker = { ...parseConfig(workerSection, environment), ...delivery };
    const provider = providerFrom(parseConfig(providerSection, environment), { clock, random });
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
    // Whoever started us shows how exchanges end; on a bus in memory nobody else could listen.
    await bus.messaging.subscribe(subjects.allExchanges, ({ payload }) => {
      const decoded = decode(exchangeContract, payload);
      if (decoded.ok) process.send?.({ exchange: decoded.value });
    });

    const client = createClient({
      apiUrl: bot.apiUrl,
      ...(await shardsOf(bot, signal)),
      messageContent: bot.messageContent,
      globalRequestsPerSecond: bot.requestsPerSecond,
    });
    const { promise: fatal, reject } = Promise.withResolvers<never>();
    fatal.catch((error: unknown) => process.emit('uncaughtException', error as Error));
    const gateway = stack.use(
      new ClientGateway({ client, logger: telemetryFor('bot').log('gateway'), onFatal: reject }),
    );
    const pace = new EditPace({ clock, minIntervalMs: bot.editIntervalMs });
    const bounds = { maxMessages: bot.historyMessages, ttlMs: bot.conversationTtlMs };

    const parts = [
      await startWorker({
        bus,
        clock,
        random,
        provider,
        workerId: workerId.parse('embedded'),
        config: worker,
      }),
      await startBalancer({
        bus,
        clock,
        random,
        balancerId: balancerId.parse('embedded'),
        config: balancer,
      }),
      await startBot({
        clusterId: clusterId.parse('c0'),
        bus,
        jobs: await openJobs({ bus, clock }),
        gateway,
        sender: new ChannelSender({ rest: client.rest, pace }),
        conversations: createMemoryConversations({ ...bounds, clock }),
        admission: createMemoryAdmission({
          clock,
          perUser: bot.jobsPerUser,
          perGuild: bot.jobsPerGuild,
        }),
        config: bot,
        clock,
        random,
      }),
    ];
    await gateway.connect({ botToken: bot.botToken, signal });
    return { parts, drainDeadlineMs: bot.drainDeadlineMs };
  },
});
