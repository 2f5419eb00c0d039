/** The local fleet, real processes on real NATS and Redis, while its processes end and are killed. */
import { connectNats } from '@starling/bus';
import { systemClock } from '@starling/clock';
import { phaseNames, subjects } from '@starling/contracts';
import { startTraceCollector, type TraceCollector } from '@starling/telemetry/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Place, Said, Saying } from './discord-side.ts';
import { type FleetUnderTest, startFleetUnderTest } from './fleet-under-test.ts';
import { childrenOf, familyOf, isAlive } from './process-tree.ts';

const shards = [0, 1, 2, 3];
let under: FleetUnderTest;
let collector: TraceCollector;
let places: Iterator<Place>;

function inGuild(content: string): Saying {
  const next = places.next();
  if (next.done) throw new Error('the emulated world has no more guilds');
  const { channelId, userId } = next.value;
  return { channelId, userId, mention: true, content };
}

/** Asks in as many guilds, so on every shard, and resolves when each answer has its first text. */
async function askSlowly(count: number, content: string): Promise<readonly Said[]> {
  await under.provider.pace('slow');
  const asked = await Promise.all(
    Array.from({ length: count }, () => under.discord.say(inGuild(content))),
  );
  for (const { messageId } of asked) {
    const { text } = await under.discord.answer(messageId, { quietMs: 0 });
    expect(text).toMatch(/^Simulate/);
  }
  const { concurrency } = await under.provider.record();
  expect(concurrency.now).toBeGreaterThanOrEqual(count);
  return asked;
}

/** Waits until each answer stands as the provider gives it, and looks that nothing else stands there. */
async function expectAnswers(asked: readonly Said[], content: string): Promise<void> {
  const sent = await under.provider.answerTo(content);
  for (const { channelId, messageId } of asked) {
    await expect
      .poll(async () => (await under.discord.answer(messageId, { quietMs: 0 })).text, {
        timeout: 80_000,
        interval: 100,
      })
      .toBe(sent);
    const messages = await under.discord.messages(channelId);
    expect(messages.filter(({ bot }) => bot).map(({ replyTo }) => replyTo)).toEqual([messageId]);
  }
}

/** Resolves when every part serves again after `ended` have gone. */
async function recovered(ended: readonly number[]): Promise<void> {
  await expect
    .poll(
      async () => ({
        left: ended.filter(isAlive),
        shards: (await under.discord.liveShards()).toSorted(),
        missing: under.fleet.parts().filter(({ pid }) => pid === undefined),
      }),
      { interval: 100 },
    )
    .toEqual({ left: [], shards, missing: [] });
}

beforeAll(async () => {
  collector = await startTraceCollector();
  under = await startFleetUnderTest('local', {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    OTEL_METRICS_EXPORTER: 'none',
    STARLING_DISCORD_EMULATOR_GUILDS: '60',
  });
  places = (await under.discord.places()).values();
});
afterAll(async () => {
  await under[Symbol.asyncDispose]();
  await collector[Symbol.asyncDispose]();
});

beforeEach(async () => {
  await under.provider.pace('quick');
  await under.provider.forget();
});

afterEach(async () => {
  const { owed, violations } = await under.discord.record();
  expect(violations).toEqual([]);
  expect(owed).toEqual([]);
});

describe('one message through the local fleet', () => {
  it('is one trace over three roles with nine phases and one correlation id [A1] [A2]', async () => {
    const { messageId } = await under.discord.say(inGuild('What is a murmuration?'));
    const exchange = await under.fleet.exchanges.wait(messageId, 60_000);
    expect(exchange?.ending.kind).toBe('answered');
    const correlation = String(exchange?.correlationId);
    const ours = () => collector.spans.filter(({ traceId }) => traceId.startsWith(correlation));
    const names = () => [...new Set(ours().map(({ name }) => name))].toSorted();
    await expect.poll(names, { interval: 50 }).toEqual(['message', ...phaseNames].toSorted());

    expect(collector.rolesOf(correlation)).toEqual(['balancer', 'bot', 'worker']);
    expect(new Set(ours().map(({ traceId }) => traceId)).size).toBe(1);
    const correlations = ours().map(({ attributes }) => attributes['starling.correlation_id']);
    expect(new Set(correlations)).toEqual(new Set([correlation]));
    const ids = new Set(ours().map(({ spanId }) => spanId));
    const roots = ours().filter(({ parentSpanId }) => !parentSpanId);
    const lost = ours().filter(({ parentSpanId }) => parentSpanId && !ids.has(parentSpanId));
    expect([roots.map(({ name }) => name), lost]).toEqual([['message'], []]);
  });

  it('reaches its worker’s stream when it is deleted [A10]', async () => {
    const [said] = await askSlowly(1, 'Never mind. [[tokens:300]]');
    if (!said) throw new Error('nothing was said');
    await under.discord.remove(said.messageId);
    await expect
      .poll(async () => (await under.provider.record()).requests.map(({ ending }) => ending))
      .toEqual(['aborted']);
    const exchange = await under.fleet.exchanges.wait(said.messageId, 60_000);
    expect(exchange?.ending).toEqual({ kind: 'failed', code: 'cancelled' });
  });

  it('is stopped by its button within a second, and keeps what it said [A10]', async () => {
    const [said] = await askSlowly(1, 'Tell me much. [[tokens:300]]');
    if (!said) throw new Error('nothing was said');
    const { messageId, userId } = said;
    const [shown] = (await under.discord.answer(messageId, { quietMs: 0 })).messages;
    expect(shown?.components).toHaveLength(1);
    const press = { messageId: shown?.id ?? '', customId: `stop:${messageId}:${userId}`, userId };
    const pressedAtMs = systemClock.nowMs();
    await under.discord.press(press);
    await expect
      .poll(async () => (await under.provider.record()).requests.map(({ ending }) => ending))
      .toEqual(['aborted']);
    const [call] = (await under.provider.record()).requests;
    const closedAtMs = (call?.startedAtMs ?? 0) + (call?.abortSeenMs ?? 0);
    expect(closedAtMs - pressedAtMs).toBeLessThan(1_000);
    const exchange = await under.fleet.exchanges.wait(messageId, 60_000);
    expect(exchange?.ending).toEqual({ kind: 'failed', code: 'cancelled' });
    const { messages, text } = await under.discord.answer(messageId, { quietMs: 0 });
    expect(text).toMatch(/^Simulate.*\n\nStopped · id [0-9a-f]{8}$/s);
    expect(messages).toMatchObject([{ id: press.messageId, components: [] }]);
  });

  it('gets past anything unreadable on the bus', async () => {
    const url = under.fleet.parts().find(({ name }) => name === 'nats')?.detail ?? '';
    await using bus = await connectNats({
      ...{ url, name: 'vandal', connectTimeoutMs: 5_000, clock: systemClock },
    });
    const garbage = Buffer.from([0x7b, 0xff, 0x00, 0x22]);
    for (const subject of [
      'jobs.interactive.1',
      'workers.worker-1.run',
      'load.worker-1',
      'load.nobody',
      'cancel.1',
      'frames.c0.1.1',
      'results.c0',
      subjects.allExchanges.replace('*', 'c0'),
    ]) {
      bus.messaging.publish(subject, garbage);
    }
    const { messageId } = await under.discord.say(inGuild('Still there?'));
    const exchange = await under.fleet.exchanges.wait(messageId, 60_000);
    expect(exchange?.ending.kind).toBe('answered');
    for (const [part, event] of [
      ['bot', 'message.quarantined'],
      ['worker-1', 'run_request.malformed'],
    ] as const) {
      await expect.poll(() => under.logOf(part)).toContain(event);
    }
  });
});

describe('people of one guild who ask the same', () => {
  it('cost one call and are each answered, where they talked before and a moment later [A8]', async () => {
    const { channelId, userIds } = await under.discord.crowd(6);
    const ask = (userId: string, content: string) =>
      under.discord.say({ channelId, userId, mention: true, content });
    const ended = async ({ messageId }: Said) =>
      (await under.fleet.exchanges.wait(messageId, 60_000))?.ending;
    const [regular = '', ...others] = userIds;
    await ended(await ask(regular, 'Good evening.'));
    await under.provider.forget();
    await under.provider.pace('slow');

    const content = 'What is a murmuration? [[tokens:20]]';
    const asked = await Promise.all([regular, ...others.slice(0, 4)].map((id) => ask(id, content)));
    const calls = async () => (await under.provider.record()).requests.map(({ ending }) => ending);
    await expect.poll(calls, { interval: 50, timeout: 20_000 }).toEqual(['complete']);
    // The answers are on their way to Discord, and some to the conversation.
    asked.push(await ask(others.at(-1) ?? '', content));
    const endings = await Promise.all(asked.map(ended));
    const shared = endings.map((ending) => ending?.kind === 'answered' && (ending.shared ?? false));
    expect(shared.toSorted()).toEqual([false, true, true, true, true, true]);
    expect(await calls()).toEqual(['complete']);

    const answers = await Promise.all(
      asked.map(({ messageId }) => under.discord.answer(messageId, { quietMs: 300 })),
    );
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers.flatMap(({ messages }) => messages.map(({ replyTo }) => replyTo))).toEqual(
      asked.map(({ messageId }) => messageId),
    );
    expect(under.fleet.exchanges.counts.shared).toBe(5);
  });
});

describe('processes that are told to end in the middle of answers', () => {
  it.each([
    ['a worker and a balancer', ['worker-1', 'balancer-1']],
    ['the others, and the bot', ['worker-2', 'balancer-2', 'bot']],
  ])('finish them, and are started again: %s [B5] [B8]', async (_who, parts) => {
    const content = 'Take your time. [[tokens:80]]';
    const asked = await askSlowly(6, content);
    const ended = parts.map((part) => under.pidOf(part));
    for (const pid of ended) process.kill(pid, 'SIGTERM');
    await expectAnswers(asked, content);
    // Finished by those who had begun: the provider was called once for each, and once by us.
    const { byEnding } = (await under.provider.record()).counts;
    expect(byEnding).toEqual({ complete: asked.length + 1 });
    await recovered(ended);
  });
});

describe('processes that are killed in the middle of answers', () => {
  /** Kills them at once, and waits until all that they were is gone and serves again. */
  async function killed(pids: readonly number[]): Promise<void> {
    const families = await Promise.all(pids.map(familyOf));
    const before = (await under.provider.record()).counts.byEnding.aborted ?? 0;
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    // The killed worker streamed: its calls broke off, and will be made again by others.
    await expect
      .poll(async () => (await under.provider.record()).counts.byEnding.aborted ?? 0)
      .toBeGreaterThan(before);
    await recovered(families.flat());
  }

  it('lose no message and answer none twice: each process once, NATS and Redis too [B5]', async () => {
    const [c0] = await childrenOf(under.pidOf('bot'));
    const content = 'Take your time. [[tokens:100]]';
    const first = await askSlowly(8, content);
    const dying = ['worker-1', 'balancer-1', 'nats', 'redis'].map((part) => under.pidOf(part));
    await killed([...dying, Number(c0)]);
    // What the first deaths have orphaned still waits to be delivered again when these come.
    const second = await askSlowly(6, content);
    await killed(['worker-2', 'balancer-2', 'bot'].map((part) => under.pidOf(part)));
    await expectAnswers([...first, ...second], content);

    await under.provider.pace('quick');
    const third = Array.from({ length: 8 }, () => under.discord.say(inGuild('And now?')));
    await expectAnswers(await Promise.all(third), 'And now?');
  });
});
