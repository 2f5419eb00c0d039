import { createMemoryBus, type WorkQueue } from '@starling/bus';
import { createMemoryConversations } from '@starling/chat';
import { SimulatedClock, seededRandom } from '@starling/clock';
import {
  balancerId,
  type Cancel,
  cancelContract,
  clusterId,
  decode,
  type Exchange,
  encode,
  exchangeContract,
  frameContract,
  type Headers,
  type Job,
  type JobOutcome,
  jobContract,
  type ResultReply,
  resultContract,
  resultReplyContract,
  subjects,
  workerId,
} from '@starling/contracts';
import { createMemoryAdmission, jobsQueue } from '@starling/jobs';
import { captureTelemetry } from '@starling/telemetry/testing';
import { type BotConfig, type BotParts, startBot } from '../../src/bot/index.ts';
import { FakeDiscord } from './fake-discord.ts';

export const cluster = clusterId.parse('c0');

const config: BotConfig = {
  persona: 'You are Starling.',
  maxTextLength: 4000,
  routeBudgetMs: 100,
  contextDmTokens: 800,
  contextGuildTokens: 1200,
  historyMessages: 20,
  maxCompletionTokens: 500,
  jobDeadlineMs: 60_000,
  resultGraceMs: 5_000,
  acceptRetryMs: 1_000,
  answersPerCluster: 5,
};

/** An answer as the worker's result has it. */
export function done(text: string): JobOutcome {
  return {
    kind: 'done',
    text,
    model: 'toy',
    finishReason: 'stop',
    usage: { promptTokens: 10, completionTokens: 20, estimated: false },
    frames: 0,
  };
}

interface Taken {
  readonly job: Job;
  readonly receipt: string;
  readonly headers: Headers;
}

/** A bot on a simulated clock, the memory bus and a fake Discord; the test is its worker. */
export async function openBench(
  difference: Partial<Omit<BotParts, 'config'>> & { readonly config?: Partial<BotConfig> } = {},
) {
  const telemetry = captureTelemetry();
  const clock = new SimulatedClock();
  const random = seededRandom(7);
  const bus = createMemoryBus({ clock, random });
  const queue: WorkQueue = await bus.openWorkQueue(jobsQueue);
  const discord = new FakeDiscord();
  const conversations = createMemoryConversations({ clock, maxMessages: 20, ttlMs: 3_600_000 });
  const admission = createMemoryAdmission({ clock, perUser: 3, perGuild: 4 });
  const exchanges: Exchange[] = [];
  const cancels: Cancel[] = [];
  await bus.messaging.subscribe(subjects.allExchanges, ({ payload }) => {
    const decoded = decode(exchangeContract, payload);
    if (decoded.ok) exchanges.push(decoded.value);
  });
  await bus.messaging.subscribe(subjects.allCancels, ({ payload }) => {
    const decoded = decode(cancelContract, payload);
    if (decoded.ok) cancels.push(decoded.value);
  });
  const parts: BotParts = {
    ...{ bus, queue, clock, random, conversations, admission },
    ...{ clusterId: cluster, gateway: discord, sender: discord },
    ...difference,
    config: { ...config, ...difference.config },
  };
  const bot = await startBot(parts);

  return {
    ...{
      bot,
      bus,
      queue,
      clock,
      discord,
      conversations,
      admission,
      exchanges,
      cancels,
      parts,
      telemetry,
    },

    /** Lets everything that is due now happen. */
    settle: () => clock.advance(0),

    /** The next accepted job; waits for nothing. */
    async take(): Promise<Taken> {
      await clock.advance(0);
      const [message] = await queue.take({ max: 1, waitMs: 0 });
      const decoded = message && decode(jobContract, message.payload);
      if (!decoded?.ok) throw new Error('no job was accepted');
      const { headers = {}, receipt = '' } = message ?? {};
      return { job: decoded.value, headers, receipt };
    },

    /** A piece of the stream. */
    async frame(job: Job, sequence: number, text: string, attempt = 1): Promise<void> {
      const frame = { jobId: job.jobId, attempt, sequence, text };
      bus.messaging.publish(
        subjects.frame(cluster, job.jobId, attempt),
        encode(frameContract, frame),
      );
      await clock.advance(0);
    },

    /** Sends a result and, within `advanceMs`, gets the bot's word on it; a delivered job is done. */
    async result(
      { headers, job, receipt }: Taken,
      outcome: JobOutcome,
      options: { readonly advanceMs?: number } = {},
    ): Promise<ResultReply['kind']> {
      const payload = encode(resultContract, {
        jobId: job.jobId,
        attempt: 1,
        origin: job.origin,
        acceptedAtMs: job.acceptedAtMs,
        outcome,
        timings: { queueMs: 2, dispatchMs: 1, llmMs: 400, firstTokenMs: 100 },
        dispatchedBy: balancerId.parse('b0'),
        servedBy: workerId.parse('w0'),
      });
      const asking = bus.messaging.request(subjects.result(cluster), payload, {
        timeoutMs: 120_000,
        headers,
      });
      const failed = asking.catch(() => {});
      await clock.advance(options.advanceMs ?? 20_000);
      const decoded = decode(resultReplyContract, (await asking).payload);
      await failed;
      if (!decoded.ok) throw new Error('the bot sent nonsense');
      if (decoded.value.kind === 'delivered') await queue.settle(receipt, { kind: 'ack' });
      return decoded.value.kind;
    },

    async [Symbol.asyncDispose]() {
      await bot[Symbol.asyncDispose]();
      await bus[Symbol.asyncDispose]();
      await telemetry[Symbol.asyncDispose]();
    },
  };
}
