import { createMemoryBus, type JobStore } from '@starling/bus';
import { createMemoryConversations } from '@starling/chat';
import { SimulatedClock, seededRandom } from '@starling/clock';
import {
  balancerId,
  type Cancel,
  cancelContract,
  clusterId,
  type DiscordOrigin,
  decode,
  type Exchange,
  encode,
  exchangeContract,
  frameContract,
  type Headers,
  type Job,
  type JobOutcome,
  jobContract,
  type Resend,
  resendContract,
  subjects,
  workerId,
} from '@starling/contracts';
import { createMemoryAdmission } from '@starling/jobs';
import { captureTelemetry } from '@starling/telemetry/testing';
import { type BotConfig, type BotParts, openJobs, startBot } from '../../src/bot/index.ts';
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
  shareCalls: true,
  callKeptMs: 5_000,
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
  readonly job: Job & { readonly origin: DiscordOrigin };
  readonly stored: number;
  readonly headers: Headers;
}

/** A bot on a simulated clock, the memory bus and a fake Discord; the test is its worker. */
export async function openBench(
  difference: Partial<Omit<BotParts, 'config'>> & {
    readonly config?: Partial<BotConfig>;
    /** Stands in for the store's. */
    readonly put?: JobStore['put'];
  } = {},
) {
  const { put, ...replaced } = difference;
  const telemetry = captureTelemetry();
  const clock = new SimulatedClock();
  const random = seededRandom(7);
  const bus = createMemoryBus({ clock, random });
  const jobs = await openJobs({ bus, clock });
  const { ledger, store } = jobs;
  const taken = new Set<number>();
  const discord = new FakeDiscord();
  const conversations = createMemoryConversations({ clock, maxMessages: 20, ttlMs: 3_600_000 });
  const admission = createMemoryAdmission({ clock, perUser: 3, perGuild: 4 });
  const exchanges: Exchange[] = [];
  const cancels: Cancel[] = [];
  const resends: Resend[] = [];
  await bus.messaging.subscribe(subjects.allExchanges, ({ payload }) => {
    const decoded = decode(exchangeContract, payload);
    if (decoded.ok) exchanges.push(decoded.value);
  });
  await bus.messaging.subscribe(subjects.allCancels, ({ payload }) => {
    const decoded = decode(cancelContract, payload);
    if (decoded.ok) cancels.push(decoded.value);
  });
  await bus.messaging.subscribe(subjects.allResends, ({ payload }) => {
    const decoded = decode(resendContract, payload);
    if (decoded.ok) resends.push(decoded.value);
  });
  const putting: JobStore = {
    put: put ?? ((subject, payload, options) => store.put(subject, payload, options)),
    feed: (handler) => store.feed(handler),
    read: (sequence) => store.read(sequence),
    remove: (sequence) => store.remove(sequence),
    discard: (sequence) => store.discard(sequence),
    list: (pattern) => store.list(pattern),
    size: () => store.size(),
  };
  const parts: BotParts = {
    ...{ bus, clock, random, conversations, admission },
    ...{ clusterId: cluster, gateway: discord, sender: discord, interactions: discord },
    jobs: { ledger, store: putting },
    ...replaced,
    config: { ...config, ...difference.config },
  };
  const bot = await startBot(parts);

  return {
    ...{
      bot,
      bus,
      ...jobs,
      clock,
      discord,
      conversations,
      admission,
      exchanges,
      cancels,
      resends,
      parts,
      telemetry,
    },

    /** Lets everything that is due now happen. */
    settle: () => clock.advance(0),

    /** The next accepted job; waits for nothing. */
    async take(): Promise<Taken> {
      await clock.advance(0);
      const next = (await store.list()).find(({ sequence }) => !taken.has(sequence));
      const message = next && (await store.read(next.sequence));
      const decoded = message && decode(jobContract, message.payload);
      if (!decoded?.ok) throw new Error('no job was accepted');
      taken.add(message?.sequence ?? 0);
      const { headers = {}, sequence: stored = 0 } = message ?? {};
      const { origin } = decoded.value;
      if (origin.kind !== 'discord') throw new Error('a bot asks for Discord only');
      return { job: { ...decoded.value, origin }, headers, stored };
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

    /** Writes a job's end and tells it by the last frame, or not at all. */
    async end({ job, stored }: Taken, outcome: JobOutcome, told: 'frame' | 'silently') {
      const worker = workerId.parse('w0');
      const claim = await ledger.claim(job.jobId, { workerId: worker, attempt: 1 });
      const result = {
        jobId: job.jobId,
        attempt: 1,
        origin: job.origin,
        acceptedAtMs: job.acceptedAtMs,
        outcome,
        timings: { queueMs: 2, dispatchMs: 1, llmMs: 400, firstTokenMs: 100 },
        dispatchedBy: balancerId.parse('b0'),
        servedBy: worker,
      };
      const atMs = clock.nowMs();
      if (claim.kind === 'won') {
        const end = { kind: 'end', attempt: 1, workerId: worker, atMs, result } as const;
        await ledger.end(job.jobId, end, claim.revision);
      }
      if (told === 'silently') return;
      const last = { jobId: job.jobId, attempt: 1, sequence: 1_000, text: '' };
      const frame = encode(frameContract, { ...last, end: { revision: 1, stored } });
      bus.messaging.publish(subjects.frame(cluster, job.jobId, 1), frame);
    },

    /** Ends a job and tells whether the bot has delivered it within `advanceMs`. */
    async result(
      of: Taken,
      outcome: JobOutcome,
      options: { readonly advanceMs?: number } = {},
    ): Promise<'delivered' | 'busy'> {
      await this.end(of, outcome, 'frame');
      await clock.advance(options.advanceMs ?? 20_000);
      return (await store.read(of.stored)) ? 'busy' : 'delivered';
    },

    async [Symbol.asyncDispose]() {
      await bot[Symbol.asyncDispose]();
      await bus[Symbol.asyncDispose]();
      await telemetry[Symbol.asyncDispose]();
    },
  };
}
