/** What people write, and how a provider can fail them: the embedded fleet between both emulators. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Place, Said, Saying } from './discord-side.ts';
import { type FleetUnderTest, startFleetUnderTest } from './fleet-under-test.ts';

const botToken = randomUUID();
let under: FleetUnderTest;
let places: Iterator<Place>;

/** A person and channels that no other test uses: what is remembered of them begins empty. */
function place(): Place {
  const next = places.next();
  if (next.done) throw new Error('the emulated world has no more guilds');
  return next.value;
}

/** A mention in a channel of its own. */
function inGuild(content: string): Saying {
  const { channelId, userId } = place();
  return { channelId, userId, mention: true, content };
}

/** A direct message of a person of its own. */
function direct(content: string): Saying {
  return { dm: true, userId: place().userId, content };
}

/** Says it and waits for its end and for what then stands in the channel. */
async function ask(saying: Saying) {
  return endOf(await under.discord.say(saying));
}

async function endOf({ messageId }: Said) {
  const exchange = await under.fleet.exchanges.wait(messageId, 60_000);
  return { exchange, answer: await under.discord.answer(messageId, { quietMs: 200 }) };
}

/** Asks for a slow answer and resolves when its first text stands there. */
async function askSlowly(saying: Saying) {
  await under.provider.pace('slow');
  const said = await under.discord.say(saying);
  const begun = await under.discord.answer(said.messageId, { quietMs: 0 });
  expect(begun.text).toMatch(/^Simulate/);
  return { said, begun };
}

async function botMessages(channelId: string): Promise<readonly string[]> {
  const messages = await under.discord.messages(channelId);
  return messages.filter(({ bot }) => bot).map(({ id }) => id);
}

beforeAll(async () => {
  under = await startFleetUnderTest('embedded', {
    STARLING_DISCORD_EMULATOR_BOT_TOKEN: botToken,
    STARLING_DISCORD_EMULATOR_GUILDS: '60',
    STARLING_MESSAGE_CONTENT: 'true',
    STARLING_PROVIDER_FIRST_TOKEN_TIMEOUT_MS: '1500',
    STARLING_PROVIDER_IDLE_TIMEOUT_MS: '1500',
    STARLING_PROVIDER_RETRIES: '1',
  });
  places = (await under.discord.places()).values();
});
afterAll(() => under[Symbol.asyncDispose]());

beforeEach(async () => {
  await under.provider.pace('quick');
  await under.provider.fault();
  await under.provider.forget();
});

afterEach(async () => {
  const { owed, violations } = await under.discord.record();
  expect(violations).toEqual([]);
  expect(owed).toEqual([]);
});

describe('what people write', () => {
  it.each([
    ['an emoji alone', '🐦'],
    ['a family of joined emoji', '👩‍👩‍👧‍👦'],
    ['right-to-left text', 'ما هو سرب الزرازير؟'],
    ['direction marks around a text', '\u202eabc\u202c'],
    ['broken markup', '`<@1> <#2> ||x|| ``` **'],
  ])('is answered once: %s [F1]', async (_what, content) => {
    const { answer, exchange } = await ask(inGuild(content));
    expect(exchange?.ending.kind).toBe('answered');
    expect(answer.messages).toHaveLength(1);
    expect(answer.text).toMatch(/^Simulated answer/);
  });

  it.each([
    ['only a mention', () => inGuild('')],
    ['zero-width characters', () => inGuild('\u200b\u200d\u2060\ufeff')],
    ['nothing at all', () => direct('')],
    ['blanks of other scripts', () => direct('\u3164\u2800 \u00a0')],
  ])('is refused calmly when there is nothing to read: %s [F10]', async (_what, saying) => {
    const { answer, exchange } = await ask(saying());
    expect(exchange?.ending).toEqual({ kind: 'refused', code: 'empty' });
    expect(answer.messages).toHaveLength(1);
    expect(answer.text).toBe(
      `There is no text in that message for me to answer · id ${exchange?.correlationId}`,
    );
    expect((await under.provider.record()).counts.requests).toBe(0);
  });

  it('is read up to 4 000 characters [F1]', async () => {
    const mention = `<@${await under.discord.botId()}> `;
    const { mention: _, ...plain } = inGuild(mention.padEnd(4_000, 'x'));
    for (const saying of [plain, direct('y'.repeat(4_000))]) {
      const { answer, exchange } = await ask(saying);
      expect(exchange?.ending.kind).toBe('answered');
      expect(answer.messages).toHaveLength(1);
    }
  });

  it('to the bot directly, or as a reply to it, needs no mention [F1]', async () => {
    expect((await ask(direct('hello'))).exchange?.ending.kind).toBe('answered');

    const { channelId, userId } = place();
    const first = await ask({ channelId, userId, mention: true, content: 'first' });
    const replyTo = first.answer.messages[0]?.id ?? '';
    for (const ping of [true, false]) {
      const then = await ask({ channelId, userId, replyTo, ping, content: 'and then?' });
      expect(then.exchange?.ending.kind).toBe('answered');
      expect(then.answer.messages.map((message) => message.replyTo)).toEqual([
        then.exchange?.jobId,
      ]);
    }
  });

  it('to somebody else is neither answered nor remembered [F8]', async () => {
    const { channelId, otherChannelId, userId } = place();
    const question = { userId, mention: true, content: 'What did I say?' };
    await under.discord.say({ channelId, userId, content: 'the password is swordfish' });
    const { answer } = await ask({ channelId, ...question });
    expect(await botMessages(channelId)).toEqual(answer.messages.map(({ id }) => id));

    // The same question gets the same prompt where nobody has said anything.
    await ask({ channelId: otherChannelId, ...question });
    const { requests } = await under.provider.record();
    expect(requests).toHaveLength(2);
    expect(new Set(requests.map(({ promptHash }) => promptHash)).size).toBe(1);
  });

  it('is never answered when a program wrote it, mention or not [F9]', async () => {
    const { channelId, userId } = place();
    const content = `<@${await under.discord.botId()}> talk to yourself`;
    const written = await under.discord.writeAsBot({ channelId, content }, botToken);
    const { answer } = await ask({ channelId, userId, mention: true, content: 'and to me?' });
    expect(await botMessages(channelId)).toEqual([written, ...answer.messages.map(({ id }) => id)]);
    expect((await under.provider.record()).counts.requests).toBe(1);
  });

  it('pings nobody when the model repeats it [F9]', async () => {
    const saying = inGuild('@everyone, @everyone, @everyone! [[tokens:400]]');
    const { answer, exchange } = await ask(saying);
    expect(answer.text).toContain('@everyone');
    const { channelId } = exchange?.origin ?? {};
    for (const { id } of answer.messages) {
      const seen = await under.discord.seenByBot(
        { channelId: String(channelId), messageId: id },
        botToken,
      );
      expect(seen).toMatchObject({ mention_everyone: false, mention_roles: [] });
      // Only the person who is answered is notified, by the reply.
      expect(seen.mentions.map((user) => user.id)).toEqual([saying.userId]);
    }
  });
});

describe('many questions of one person', () => {
  it('are answered as far as there is room for them, the next is put off calmly [F10]', async () => {
    const { channelId, otherChannelId, userId } = place();
    const mine = { userId, mention: true, content: 'Take your time. [[tokens:25]]' };
    await under.provider.pace('slow');
    const asked = [];
    for (const channel of [channelId, channelId, otherChannelId, otherChannelId]) {
      asked.push(await under.discord.say({ ...mine, channelId: channel }));
    }
    const ends = await Promise.all(asked.map(endOf));
    expect(ends.map(({ exchange }) => exchange?.ending.kind)).toEqual([
      ...['answered', 'answered', 'answered'],
      'refused',
    ]);
    const { answer, exchange } = ends[3] ?? {};
    expect(exchange?.ending).toEqual({ kind: 'refused', code: 'user_busy' });
    expect(answer?.text).toMatch(/^You already have several questions waiting.* <t:\d+:R> · id /);
    expect(answer?.text).toContain(exchange?.correlationId);
  });
});

describe('a long answer', () => {
  /** What people read: a break may change white space and the fences of a code block, nothing else. */
  const words = (text: string) => text.split(/\s+/).filter((word) => !/^(```\w*)?$/.test(word));

  it.each(['Tell me all. [[tokens:700]]', 'Show me. [[tokens:900]] [[markdown]]'])(
    'goes on in further messages and is whole in the end: %s [A9]',
    async (content) => {
      const { answer, exchange } = await ask(direct(content));
      expect(exchange?.ending.kind).toBe('answered');
      expect(answer.messages.length).toBeGreaterThan(1);
      for (const message of answer.messages)
        expect(message.content.length).toBeLessThanOrEqual(2000);

      const sent = await under.provider.answerTo(content);
      const { requests } = await under.provider.record();
      expect(new Set(requests.map(({ promptHash }) => promptHash)).size).toBe(1);
      expect(words(answer.text)).toEqual(words(sent));
    },
  );
});

describe('a message that changes while it is answered', () => {
  it('ends the provider’s stream and the answer when it is deleted [A10]', async () => {
    const saying = inGuild('Never mind. [[tokens:300]]');
    const { said } = await askSlowly(saying);
    await under.discord.remove(said.messageId);
    const exchange = await under.fleet.exchanges.wait(said.messageId, 60_000);
    expect(exchange?.ending).toEqual({ kind: 'failed', code: 'cancelled' });
    await expect
      .poll(async () => (await under.provider.record()).requests.map(({ ending }) => ending))
      .toEqual(['aborted']);

    const stopped = await under.discord.answer(said.messageId);
    expect(stopped.messages.map(({ content }) => content)).toEqual([
      expect.stringMatching(new RegExp(`^Simulate.*\n\nStopped · id ${exchange?.correlationId}$`)),
    ]);
    await under.provider.pace('quick');
    const next = await ask({ ...saying, content: 'Something else.' });
    expect(await botMessages(said.channelId)).toEqual(
      [...stopped.messages, ...next.answer.messages].map(({ id }) => id),
    );
  });

  it('leaves no trace when it is deleted before the first text [A10]', async () => {
    await under.provider.fault({ kind: 'first-token-stall' });
    const { channelId, messageId } = await under.discord.say(inGuild('Never mind.'));
    await expect.poll(async () => (await under.provider.record()).concurrency.now).toBe(1);
    await under.discord.remove(messageId);
    const exchange = await under.fleet.exchanges.wait(messageId, 60_000);
    expect(exchange?.ending).toEqual({ kind: 'failed', code: 'cancelled' });
    await expect
      .poll(async () => (await under.provider.record()).counts.byEnding)
      .toEqual({ aborted: 1 });
    expect(await botMessages(channelId)).toEqual([]);
  });

  it('is answered as it was asked when it is edited [A6]', async () => {
    const { said } = await askSlowly(inGuild('One thing. [[tokens:20]]'));
    await under.discord.edit(said.messageId, `<@${await under.discord.botId()}> Another thing.`);
    const { answer, exchange } = await endOf(said);
    expect(exchange?.ending.kind).toBe('answered');
    expect(await botMessages(said.channelId)).toEqual(answer.messages.map(({ id }) => id));
    expect(answer.messages).toHaveLength(1);
    expect((await under.provider.record()).counts.requests).toBe(1);
  });
});

describe('a provider that fails', () => {
  it.each([
    [{ kind: 'status', status: 500 }, 'provider_unavailable', 2],
    [{ kind: 'status', status: 502 }, 'provider_unavailable', 2],
    [{ kind: 'status', status: 400 }, 'provider_refused', 1],
    [{ kind: 'reset', at: 'before' }, 'provider_unavailable', 2],
    // A silent one is not asked again: it would cost as much time once more.
    [{ kind: 'header-stall' }, 'provider_timeout', 1],
    [{ kind: 'first-token-stall' }, 'provider_timeout', 1],
  ])('before the first text is told calmly after %j [F10] [C4]', async (fault, code, calls) => {
    await under.provider.fault(fault);
    const { answer, exchange } = await ask(inGuild('Are you there?'));
    expect(exchange?.ending).toEqual({ kind: 'failed', code });
    expect(answer.messages).toHaveLength(1);
    expect(answer.text).toMatch(
      new RegExp(`^The language model .* · id ${exchange?.correlationId}$`),
    );
    expect((await under.provider.record()).counts.requests).toBe(calls);
  });

  it.each([
    [{ kind: 'truncated', afterTokens: 20 }, 'answer_cut', 'The answer broke off before its end'],
    [
      { kind: 'truncated', afterTokens: 20, abrupt: true },
      'answer_cut',
      'The answer broke off before its end',
    ],
    [{ kind: 'reset', at: 'mid', afterTokens: 20 }, 'answer_cut', 'The answer broke off before'],
    [{ kind: 'error-in-stream', afterTokens: 20 }, 'answer_cut', 'The answer broke off before'],
    [{ kind: 'mid-stream-stall', afterTokens: 20 }, 'answer_cut', 'The answer broke off before'],
  ])('in the middle leaves what was read and says so: %j [F10]', async (fault, code, text) => {
    await under.provider.fault(fault);
    const { answer, exchange } = await ask(inGuild('Go on. [[tokens:100]]'));
    expect(exchange?.ending).toEqual({ kind: 'failed', code });
    expect(answer.messages).toHaveLength(1);
    const [shown, told] = answer.text.split('\n\n');
    expect(shown).toMatch(/^Simulated answer from sim-small/);
    expect(told).toContain(text);
    expect(told).toContain(`id ${exchange?.correlationId}`);
    // Three attempts, each in the place of the one before.
    expect((await under.provider.record()).counts.requests).toBe(3);
  });

  it('in the middle once is cured by an answer that takes its place [F10] [C6] [A9]', async () => {
    await under.provider.fault({ kind: 'truncated', afterTokens: 20 }, 1);
    const { answer, exchange } = await ask(inGuild('Go on. [[tokens:100]]'));
    expect(exchange?.ending).toMatchObject({ kind: 'answered' });
    expect(answer.messages).toHaveLength(1);
    expect(answer.text).toMatch(/^Simulated answer from sim-small/);
    expect(answer.text).not.toContain('broke off');
    expect((await under.provider.record()).counts.requests).toBe(2);
  });

  it('once is tried again, and nobody notices [C4]', async () => {
    await under.provider.fault({ kind: 'status', status: 503 }, 1);
    const { answer, exchange } = await ask(inGuild('Are you there?'));
    expect(exchange?.ending.kind).toBe('answered');
    expect(answer.messages).toHaveLength(1);
    expect((await under.provider.record()).counts.byEnding).toEqual({ complete: 2 });
  });
});
