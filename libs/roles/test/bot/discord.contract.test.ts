import { type Bus, createMemoryBus } from '@starling/bus';
import { createMemoryConversations } from '@starling/chat';
import { systemClock as clock, systemRandom as random } from '@starling/clock';
import { botSection, ConfigError, parseConfig, sharingSection } from '@starling/config';
import {
  balancerId,
  clusterId,
  decode,
  type Exchange,
  encode,
  exchangeContract,
  type Frame,
  frameContract,
  jobContract,
  jobId,
  outlookContract,
  type Result,
  subjects,
  workerId,
} from '@starling/contracts';
import {
  type DiscordEmulator,
  faultSpec,
  startDiscordEmulator,
} from '@starling/discord-emulator/testing';
import { createMemoryAdmission } from '@starling/jobs';
import { captureTelemetry } from '@starling/telemetry/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type Jobs,
  openDiscord,
  openJobs,
  settingsErrorOf,
  startBot,
} from '../../src/bot/index.ts';
import { peopleOf } from './people.ts';

const cluster = clusterId.parse('c0');
const w0 = workerId.parse('w0');

/** What the worker answers to the last message of a prompt, in frames. */
type Script = (question: string) => readonly string[];
const echo: Script = (question) => ['You said ', question];

describe('the bot in front of a real discord.js', () => {
  let emulator: DiscordEmulator;
  let stack: AsyncDisposableStack;
  let people: ReturnType<typeof peopleOf>;
  let bot: Awaited<ReturnType<typeof startBot>>;
  let script: Script = echo;
  let exchanges: Exchange[];
  /** Frames after the first wait until a test lets them go. */
  let hold: Promise<void>;
  let letGo: () => void;
  let cancelled: string[];
  /** As a balancer does for every job that is stored. */
  let tellPlace: (place: { position: number; waitMs: number }) => Promise<void>;

  const open = async (settings: Record<string, string> = {}) => {
    const all = { DISCORD_API_URL: `${emulator.restUrl}/api`, ...settings };
    const config = { ...parseConfig(botSection, all), ...parseConfig(sharingSection, all) };
    const bus = stack.use(createMemoryBus({ clock }));
    const jobs = await openJobs({ bus, clock });
    exchanges = [];
    cancelled = [];
    await bus.messaging.subscribe(subjects.allExchanges, ({ payload }) => {
      const decoded = decode(exchangeContract, payload);
      if (decoded.ok) exchanges.push(decoded.value);
    });
    await bus.messaging.subscribe(subjects.allCancels, ({ subject }) => {
      cancelled.push(subject);
    });
    tellPlace = async (place) => {
      const stored = await jobs.store.list();
      const waiting = stored.map(({ sequence, subject }) => ({
        ...{ jobId: jobId.parse(subject.split('.').at(-1)), stored: sequence },
        ...place,
      }));
      bus.messaging.publish(subjects.outlook(cluster), encode(outlookContract, { jobs: waiting }));
    };
    const { gateway, interactions, sender } = openDiscord({
      ...{ config, clock },
      ...{ shards: [0, 1], shardCount: 2, sharers: 1 },
      onFatal: () => {},
    });
    stack.use(gateway);
    bot = stack.use(
      await startBot({
        ...{ bus, jobs, gateway, sender, interactions, config, clock, random, clusterId: cluster },
        conversations: createMemoryConversations({ clock, maxMessages: 20, ttlMs: 60_000 }),
        admission: createMemoryAdmission({ clock, perUser: 3, perGuild: 30 }),
      }),
    );
    const worker = new AbortController();
    stack.defer(() => worker.abort());
    stack.use(await work({ bus, jobs }));
    await gateway.connect({ botToken: emulator.botToken, signal: worker.signal });
  };

  /** A worker that answers by the script, one job at a time. */
  const work = async ({ bus, jobs }: { bus: Bus; jobs: Jobs }) => {
    const { ledger, store } = jobs;
    let before = Promise.resolve();
    return await store.feed({
      stored({ sequence }) {
        before = before.then(() => answer(sequence)).catch(() => {});
      },
    });
    async function answer(stored: number): Promise<void> {
      const message = await store.read(stored);
      const job = message && decode(jobContract, message.payload);
      if (!job?.ok) return;
      const { jobId, origin, acceptedAtMs, messages } = job.value;
      const claim = await ledger.claim(jobId, { workerId: w0, attempt: 1 });
      if (claim.kind === 'lost') return;
      const texts = script(messages.at(-1)?.content ?? '');
      const tell = (frame: Omit<Frame, 'jobId' | 'attempt'>) =>
        bus.messaging.publish(
          subjects.frame(cluster, jobId, 1),
          encode(frameContract, { jobId, attempt: 1, ...frame }),
        );
      for (const [sequence, text] of texts.entries()) {
        if (sequence > 0) await hold;
        tell({ sequence, text });
      }
      const result: Result = {
        ...{ jobId, attempt: 1, origin, acceptedAtMs },
        outcome: {
          kind: 'done',
          text: texts.join(''),
          model: 'toy',
          finishReason: 'stop',
          usage: { promptTokens: 1, completionTokens: 1, estimated: true },
          frames: texts.length,
        },
        timings: { queueMs: 1, dispatchMs: 1, llmMs: 1 },
        dispatchedBy: balancerId.parse('b0'),
        servedBy: w0,
      };
      const end = { kind: 'end', attempt: 1, workerId: w0, atMs: clock.nowMs(), result } as const;
      const written = await ledger.end(jobId, end, claim.revision);
      if (written.kind !== 'ended') return;
      tell({ sequence: texts.length, text: '', end: { revision: written.revision, stored } });
    }
  };

  beforeEach(async () => {
    stack = new AsyncDisposableStack();
    stack.use(captureTelemetry());
    emulator = stack.use(await startDiscordEmulator({ clock, random }));
    people = peopleOf(emulator);
    script = echo;
    ({ promise: hold, resolve: letGo } = Promise.withResolvers<void>());
    letGo();
  });
  afterEach(async () => {
    await stack.disposeAsync();
  });

  const judged = () => emulator.record.query();

  it('answers a mention, a reply to it and a direct message, each once [F1] [A9]', async () => {
    await open();
    const mention = await people.say({ content: 'hello', mention: true });
    const first = await people.answer(mention);
    expect(first).toMatchObject({ answered: true, settled: true, text: 'You said hello' });
    const [answer] = first.messages;
    const reply = await people.say({ content: 'again', replyTo: answer?.id });
    expect((await people.answer(reply)).text).toBe('You said again');
    const direct = await people.say({ content: 'psst', dm: true });
    expect((await people.answer(direct)).text).toBe('You said psst');
    expect(first.typing.length).toBeGreaterThan(0);
    expect(judged()).toMatchObject({ violations: [], owed: [], answered: 3 });
    expect(exchanges).toHaveLength(3);
  });

  it('ignores what is not addressed to it [F1]', async () => {
    await open();
    const ignored = await people.say({ content: 'hello everyone' });
    const asked = await people.say({ content: 'hello', mention: true });
    await people.answer(asked);
    expect(await people.answer(ignored, { timeoutMs: 0 })).toMatchObject({ answered: false });
    expect(judged().answered).toBe(1);
  });

  it('pings nobody, whatever the model writes [F9]', async () => {
    await open();
    script = () => ['@everyone <@&300000000000000000> look!'];
    const asked = await people.say({ content: 'ping all', mention: true });
    const { messages } = await people.answer(asked);
    const [message] = messages as readonly Record<string, unknown>[];
    expect(message?.content).toContain('@everyone');
    expect(JSON.stringify(message)).not.toMatch(/"mention_?everyone":true/i);
  });

  it('shows one message although Discord lost its replies after creating it [A6]', async () => {
    await open();
    const lost = { kind: 'server_error', when: 'after', times: 2 } as const;
    const route = { method: 'POST', pathEnd: '/messages' } as const;
    emulator.faults.add(faultSpec.parse({ ...lost, route }));
    const asked = await people.say({ content: 'hello', mention: true });
    const answer = await people.answer(asked);
    expect(answer.messages).toHaveLength(1);
    expect(answer.text).toBe('You said hello');
    expect(judged()).toMatchObject({ violations: [], owed: [] });
  });

  it('goes on past 2000 characters in further messages, whole and in order [A9] [F2]', async () => {
    await open();
    const words = Array.from({ length: 800 }, (_, n) => `word${n}`).join(' ');
    script = () => [words.slice(0, 500), words.slice(500, 3000), words.slice(3000)];
    const asked = await people.say({ content: 'tell me all', mention: true });
    const answer = await people.answer(asked, { quietMs: 1500 });
    expect(answer.messages.length).toBe(4);
    expect(answer.messages.map(({ content }) => content).join(' ')).toBe(words);
    expect(judged()).toMatchObject({ violations: [], owed: [] });
  });

  it('refuses calmly what has no text, and what a user asks too much of [F10]', async () => {
    await open();
    const empty = await people.say({ content: '\u200b', mention: true });
    expect((await people.answer(empty)).text).toMatch(
      /no text in that message.* · id [0-9a-f]{8}$/,
    );
    ({ promise: hold, resolve: letGo } = Promise.withResolvers<void>());
    script = () => ['One', ' two'];
    const first = await people.speak({ content: '1', mention: true });
    const again = { mention: true, userId: first.userId, channelId: first.channelId };
    for (const content of ['2', '3']) await people.say({ content, ...again });
    const fourth = await people.say({ content: '4', ...again });
    expect((await people.answer(fourth)).text).toMatch(/several questions waiting.*<t:\d+:R>/);
    letGo();
    await expect.poll(() => judged().owed, { timeout: 15_000 }).toEqual([]);
    expect(judged().violations).toEqual([]);
  });

  it('stops calmly when its question is deleted in mid-answer', async () => {
    await open();
    ({ promise: hold, resolve: letGo } = Promise.withResolvers<void>());
    script = () => ['One', ' two'];
    const asked = await people.say({ content: 'hello', mention: true });
    await people.answer(asked, { quietMs: 0 });
    await people.delete(asked);
    await expect.poll(() => cancelled).toEqual([`cancel.${asked}`]);
    await expect
      .poll(() => exchanges.map(({ ending }) => ending))
      .toEqual([{ kind: 'failed', code: 'cancelled' }]);
    letGo();
    expect(judged().violations).toEqual([]);
  });

  it('shows the place in line in the place of the answer; that is no answer yet [B6]', async () => {
    await open();
    ({ promise: hold, resolve: letGo } = Promise.withResolvers<void>());
    script = () => ['', 'At last.'];
    const asked = await people.say({ content: 'hello', mention: true });
    const now = () => people.answer(asked, { timeoutMs: 0, quietMs: 0 });
    const told = async (waitMs: number) => {
      await tellPlace({ position: 11, waitMs });
      return (await now()).text;
    };
    await expect.poll(() => told(8_000)).toBe('In line: place 12, about 8 s');
    expect(await now()).toMatchObject({ answered: false, firstTextMs: null });
    expect(judged()).toMatchObject({ answered: 0, owed: [{ id: asked }] });
    await expect.poll(() => told(3_000), { timeout: 10_000 }).toBe('In line: place 12, about 3 s');
    letGo();
    const answer = await people.answer(asked, { quietMs: 300 });
    expect(answer).toMatchObject({ answered: true, text: 'At last.' });
    expect(answer.messages).toMatchObject([{ components: [] }]);
    expect(judged()).toMatchObject({ violations: [], owed: [], answered: 1 });
  });

  it('answers what was asked at first when the question is edited meanwhile', async () => {
    await open();
    ({ promise: hold, resolve: letGo } = Promise.withResolvers<void>());
    const asked = await people.say({ content: 'hello', mention: true });
    await people.answer(asked, { quietMs: 0 });
    await people.edit(asked, 'something else');
    letGo();
    expect((await people.answer(asked)).text).toBe('You said hello');
  });

  it('drains: finishes its answer, and leaves sessions that can be resumed', async () => {
    await open();
    ({ promise: hold, resolve: letGo } = Promise.withResolvers<void>());
    const asked = await people.say({ content: 'hello', mention: true });
    await people.answer(asked, { quietMs: 0 });
    const draining = bot.drain({ signal: new AbortController().signal });
    letGo();
    await draining;
    expect((await people.answer(asked)).text).toBe('You said hello');
    await stack.disposeAsync();
    expect(judged().violations).toEqual([]);
  });

  it('says which setting Discord objects to, and how to mend it', async () => {
    const wrong = new AbortController().signal;
    const settingOf = async (settings: Record<string, string>, botToken: string) => {
      const config = parseConfig(botSection, {
        DISCORD_API_URL: `${emulator.restUrl}/api`,
        ...settings,
      });
      const discord = openDiscord({
        ...{ config, clock, shards: [0], shardCount: 1, sharers: 1 },
        onFatal: () => {},
      });
      stack.use(discord.gateway);
      const error = await discord.gateway
        .connect({ botToken, signal: wrong })
        .then(() => undefined, settingsErrorOf);
      return error instanceof ConfigError ? error.problems[0] : error;
    };
    expect(await settingOf({}, 'x'.repeat(60))).toMatchObject({
      variable: 'DISCORD_TOKEN',
      value: '(hidden)',
    });
    await emulator.close();
    emulator = stack.use(
      await startDiscordEmulator({
        clock,
        random,
        world: { bot: { name: 'starling', privilegedIntents: [] } },
      }),
    );
    expect(await settingOf({ STARLING_MESSAGE_CONTENT: 'true' }, emulator.botToken)).toMatchObject({
      variable: 'STARLING_MESSAGE_CONTENT',
      problem: /Message Content Intent/,
    });
  });
});
