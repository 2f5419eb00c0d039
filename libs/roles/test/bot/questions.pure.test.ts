import { BusError } from '@starling/bus';
import { jobId, userId } from '@starling/contracts';
import { describe, expect, it } from 'vitest';
import { done, openBench } from './bot-bench.ts';
import { ada, channel, guild, self } from './fake-discord.ts';

describe('a question', () => {
  it('becomes one job and one answer, with every phase that was worked on [A2]', async () => {
    await using bench = await openBench();
    const id = bench.discord.say('what is a murmuration?');
    const taken = await bench.take();
    expect(taken.job).toMatchObject({
      jobId: id,
      lane: 'interactive',
      origin: { guildId: guild, channelId: channel, messageId: id, userId: ada, clusterId: 'c0' },
      messages: [
        { role: 'system', content: 'You are Starling.' },
        { role: 'user', content: 'what is a murmuration?' },
      ],
      maxCompletionTokens: 500,
    });
    expect(taken.job.deadlineAtMs - taken.job.acceptedAtMs).toBe(60_000);
    expect(await bench.result(taken, done('Thousands of starlings.'))).toBe('delivered');
    expect(bench.discord.texts).toEqual(['Thousands of starlings.']);
    expect(bench.discord.shown[0]).toMatchObject({ replyTo: id, edits: 0 });
    expect(bench.exchanges).toHaveLength(1);
    expect(bench.exchanges[0]).toMatchObject({
      ending: { kind: 'answered', model: 'toy' },
      posts: 1,
      edits: 0,
      services: ['bot', 'balancer', 'worker'],
      phases: { queue: 2, dispatch: 1, llm: 400 },
    });
    expect(Object.keys(bench.exchanges[0]?.phases ?? {}).sort()).toEqual(
      [
        'receive',
        'route',
        'context',
        'admit',
        'queue',
        'dispatch',
        'llm',
        'compose',
        'send',
      ].sort(),
    );
  });

  it('is answered in a direct message too [F1]', async () => {
    await using bench = await openBench();
    bench.discord.sayDirectly('hello');
    const taken = await bench.take();
    expect(taken.job.lane).toBe('dm');
    expect(taken.job.origin.guildId).toBeUndefined();
    await bench.result(taken, done('Hi.'));
    expect(bench.discord.texts).toEqual(['Hi.']);
  });

  it('is not seen when nobody addressed us, nor when a program wrote it [F1] [F9]', async () => {
    await using bench = await openBench();
    bench.discord.say('', { content: 'hello all', mentions: [] });
    bench.discord.say('hi', { author: { id: '400000000000000009', username: 'b', bot: true } });
    bench.discord.say('hi', { webhook_id: '600000000000000000' });
    bench.discord.say('hi', { author: { id: self, username: 'starling', bot: true } });
    await bench.settle();
    expect(await bench.store.size()).toBe(0);
    expect(bench.discord.typings).toBe(0);
    expect(await bench.conversations.recent(channel)).toEqual([]);
    expect(bench.exchanges).toEqual([]);
  });

  it('remembers what was said before, and nothing that was not addressed to us [A5]', async () => {
    await using bench = await openBench();
    bench.discord.say('my name is Ada');
    await bench.result(await bench.take(), done('Hello Ada.'));
    bench.discord.say('', { content: 'psst', mentions: [] });
    bench.discord.say('what is my name?');
    const { job } = await bench.take();
    expect(job.messages.slice(1)).toEqual([
      { role: 'user', content: 'ada: my name is Ada' },
      { role: 'assistant', content: 'Hello Ada.' },
      { role: 'user', content: 'ada: what is my name?' },
    ]);
  });

  it('quotes what it replies to, and for a longer text what that replied to [F1] [F3]', async () => {
    await using bench = await openBench();
    const [older, old] = [bench.discord.nextId(), bench.discord.nextId()];
    const bob = { id: userId.parse('400000000000000001'), name: 'bob', isBot: false };
    bench.discord.fetched.set(older, {
      id: older,
      author: bob,
      content: 'birds',
      hasControls: false,
    });
    const replying = {
      type: 19,
      referenced_message: {
        id: old,
        author: { id: bob.id, username: 'bob' },
        content: 'they flock',
        message_reference: { message_id: older },
      },
    };
    const prompt = async () => (await bench.take()).job.messages.at(-1)?.content;
    const long = 'why would they do that, of all things, in the evening?';
    bench.discord.say(long, replying);
    expect(await prompt()).toBe(`[in reply to bob: birds]\n[in reply to bob: they flock]\n${long}`);
    bench.discord.say('why?', replying);
    expect(await prompt()).toBe('[in reply to bob: they flock]\nwhy?');
  });

  it('shows typing from the start until its first text, every eight seconds [F3]', async () => {
    await using bench = await openBench();
    bench.discord.say('hello');
    const { job } = await bench.take();
    expect(bench.discord.typings).toBe(1);
    await bench.clock.advance(17_000);
    expect(bench.discord.typings).toBe(3);
    await bench.frame(job, 0, 'Hel');
    await bench.clock.advance(30_000);
    expect(bench.discord.typings).toBe(3);
  });

  it('is asked once although the gateway replays it [A6]', async () => {
    await using bench = await openBench();
    const id = bench.discord.say('hello');
    bench.discord.say('hello', { id });
    const taken = await bench.take();
    await bench.result(taken, done('Hi.'));
    bench.discord.say('hello', { id });
    await bench.settle();
    expect(await bench.store.size()).toBe(0);
    expect(bench.discord.texts).toEqual(['Hi.']);
    expect(bench.exchanges).toHaveLength(1);
  });

  it('that an earlier process accepted is left to its result [A6]', async () => {
    await using bench = await openBench();
    const id = bench.discord.nextId();
    await bench.store.put('jobs.interactive.x', new Uint8Array(), { id });
    bench.discord.say('hello', { id });
    await bench.clock.advance(120_000);
    expect(bench.discord.texts).toEqual([]);
    expect(bench.bot.snapshot).toEqual({ openAnswers: 0, deliveries: 0 });
  });

  it('runs in one trace whose id is told wherever it ends [A1]', async () => {
    await using bench = await openBench();
    const { telemetry } = bench;
    bench.discord.say('hello');
    const taken = await bench.take();
    await bench.result(taken, done('Hi.'));
    const [root] = telemetry.spans.filter(({ name }) => name === 'message');
    const traceId = root?.spanContext().traceId ?? '';
    expect(bench.exchanges[0]?.correlationId).toBe(traceId.slice(0, 8));
    expect(taken.headers['starling-correlation-id']).toBe(traceId.slice(0, 8));
    expect(taken.headers.traceparent).toContain(traceId);
    for (const name of ['receive', 'route', 'context', 'admit', 'compose', 'send']) {
      expect(telemetry.spans.find((span) => span.name === name)?.spanContext().traceId).toBe(
        traceId,
      );
    }
    const line = telemetry.lines.find(({ event }) => event === 'message.answered');
    expect(line).toMatchObject({
      name: 'bot',
      guild_id: guild,
      user_id: ada,
      detail: { corr_id: traceId.slice(0, 8) },
    });
  });
});

describe('a refusal', () => {
  const refusal = /^(.+?) · (?:try again <t:\d+:R> · )?id [0-9a-f]{8}$/;

  it('is calm about a message without text, and asks nobody [F10]', async () => {
    await using bench = await openBench();
    const id = bench.discord.say('\u200b');
    await bench.settle();
    expect(bench.discord.texts).toHaveLength(1);
    expect(bench.discord.texts[0]).toMatch(refusal);
    expect(bench.discord.texts[0]).not.toContain('try again');
    expect(bench.discord.shown[0]?.replyTo).toBe(id);
    expect(bench.discord.typings).toBe(0);
    expect(await bench.store.size()).toBe(0);
    expect(bench.exchanges[0]).toMatchObject({
      ending: { kind: 'refused', code: 'empty' },
      services: ['bot'],
    });
    expect(Object.keys(bench.exchanges[0]?.phases ?? {}).sort()).toEqual(
      ['receive', 'route', 'compose', 'send'].sort(),
    );
  });

  it('names the bound of a user, says when, and lets the next one in [F10]', async () => {
    await using bench = await openBench();
    bench.discord.say('one');
    const first = await bench.take();
    bench.discord.say('two');
    bench.discord.say('three');
    bench.discord.say('four');
    await bench.settle();
    expect(bench.discord.texts).toHaveLength(1);
    expect(bench.discord.texts[0]).toMatch(/several questions waiting.*try again <t:\d+:R>/);
    expect(bench.exchanges[0]?.ending).toEqual({ kind: 'refused', code: 'user_busy' });
    await bench.result(first, done('1'));
    bench.discord.say('five');
    await bench.settle();
    expect(await bench.store.size()).toBe(3);
  });

  it('names the bound of a guild, and of the cluster', async () => {
    await using bench = await openBench();
    const by = (n: number) => ({ author: { id: `40000000000000000${n}`, username: `u${n}` } });
    for (const n of [1, 2, 3, 4, 5]) bench.discord.say('hi', by(n));
    await bench.settle();
    expect(bench.exchanges.map(({ ending }) => ending)).toEqual([
      { kind: 'refused', code: 'too_busy' },
    ]);
    bench.discord.sayDirectly('hi', by(6));
    await bench.settle();
    bench.discord.sayDirectly('hi', by(7));
    await bench.settle();
    expect(bench.exchanges).toHaveLength(2);
    expect(await bench.store.size()).toBe(5);
  });

  it('comes when NATS stays away, after asking again within its bound [F10]', async () => {
    let tries = 0;
    const put = async (): Promise<never> => {
      tries += 1;
      throw new BusError('unreachable', 'reconnecting');
    };
    await using bench = await openBench({ put });
    bench.discord.say('hello');
    await bench.clock.advance(5_000);
    expect(tries).toBe(10);
    expect(bench.discord.texts[0]).toMatch(/Nobody is free.*try again/);
    expect(bench.exchanges[0]?.ending).toEqual({ kind: 'refused', code: 'no_worker' });
    // Its place is free again.
    const user = { jobId: jobId.parse('x'), userId: ada };
    for (const n of [1, 2, 3]) {
      const owner = { ...user, jobId: jobId.parse(`x${n}`) };
      expect(await bench.admission.admit(owner, { holdMs: 1 })).toMatchObject({ kind: 'admitted' });
    }
  });

  it('does not follow from a lost store: the question is answered, and one line says so', async () => {
    const lost = () => Promise.reject(new Error('Redis is away'));
    await using bench = await openBench({ conversations: { recent: lost, append: lost } });
    for (const text of ['Hi.', 'Hello.']) {
      bench.discord.say('hello');
      expect(await bench.result(await bench.take(), done(text))).toBe('delivered');
    }
    expect(bench.discord.texts).toEqual(['Hi.', 'Hello.']);
    const told = bench.telemetry.lines.filter(({ event }) => event.startsWith('conversations.'));
    expect(told.map(({ event, level }) => [level, event])).toEqual([
      ['warn', 'conversations.away'],
    ]);
  });

  it('is an honest failure when we are at fault', async () => {
    const admission = {
      admit: () => Promise.reject(new Error('bug')),
      release: () => Promise.reject(new Error('bug')),
    };
    await using bench = await openBench({ admission });
    bench.discord.say('hello');
    await bench.settle();
    expect(bench.exchanges[0]?.ending).toEqual({ kind: 'failed', code: 'internal' });
    expect(bench.discord.texts[0]).toMatch(refusal);
  });
});
