import { SimulatedClock, seededRandom } from '@starling/clock';
import { describe, expect, it } from 'vitest';
import { createKnobs } from '../../src/core/knobs.ts';
import { type Dispatch, intentBits } from '../../src/core/ports.ts';
import { worldSpec } from '../../src/core/world-spec.ts';
import { identifyProblem } from '../../src/gateway/identify-check.ts';
import { createIdentifyLanes } from '../../src/gateway/identify-lanes.ts';
import { seesContent, withoutContent } from '../../src/gateway/message-content.ts';
import { createReplayBuffer } from '../../src/gateway/replay-buffer.ts';
import { createSessionStore } from '../../src/gateway/session.ts';

describe('identify lanes', () => {
  function lanes(options: { maxConcurrency: number; total?: number }) {
    const clock = new SimulatedClock();
    const made = createIdentifyLanes({ clock, knobs: createKnobs(), total: 1000, ...options });
    return { clock, lanes: made };
  }

  it('grant one IDENTIFY a lane and 5 s [G3]', async () => {
    const { clock, lanes: two } = lanes({ maxConcurrency: 2 });
    expect(two.claim(0).kind).toBe('granted');
    expect(two.claim(1).kind).toBe('granted');
    expect(two.claim(2)).toMatchObject({ kind: 'too_early', lane: 0 });
    await clock.advance(4800);
    expect(two.claim(2).kind).toBe('too_early');
    await clock.advance(200);
    expect(two.claim(2).kind).toBe('granted');
  });

  it('count the starts of a day and give them back 24 h after the first', async () => {
    const { clock, lanes: one } = lanes({ maxConcurrency: 16, total: 3 });
    for (const shard of [0, 1, 2]) expect(one.claim(shard).kind).toBe('granted');
    expect(one.claim(3).kind).toBe('exhausted');
    await clock.advance(3_600_000);
    expect(one.status()).toEqual({ total: 3, remaining: 0, resetAfterMs: 82_800_000 });
    await clock.advance(82_800_000);
    expect(one.status().remaining).toBe(3);
    expect(one.claim(3).kind).toBe('granted');
    one.refill();
    expect(one.status().remaining).toBe(3);
  });
});

describe('IDENTIFY', () => {
  const spec = worldSpec.parse({ guilds: 100, bot: { name: 'bot', privilegedIntents: [] } });
  const problem = (over: object) =>
    identifyProblem(
      { token: 'right', intents: 1, properties: {}, ...over },
      { acceptsToken: (token) => token === 'right', spec, maxGuildsPerShard: 30 },
    );

  it.each([
    [{ shard: [0, 4] }, undefined],
    [{ token: 'wrong', shard: [0, 4] }, 4004],
    [{ shard: [4, 4] }, 4010],
    [{ shard: [-1, 4] }, 4010],
    [{ shard: [0, 0] }, 4010],
    [{ shard: [0, 3] }, 4011],
    [{}, 4011],
    [{ shard: [0, 4], intents: 1 << 17 }, 4013],
    [{ shard: [0, 4], intents: -1 }, 4013],
    [{ shard: [0, 4], intents: 2 ** 40 }, 4013],
    [{ shard: [0, 4], intents: intentBits.MESSAGE_CONTENT }, 4014],
  ])('%j is closed with %s', (over, code) => {
    expect(problem(over)).toBe(code);
  });
});

describe('message content without the intent', () => {
  const message: Dispatch = {
    name: 'MESSAGE_CREATE',
    guildId: '1',
    intents: intentBits.GUILD_MESSAGES,
    data: {
      content: 'secret',
      embeds: [1],
      attachments: [1],
      components: [1],
      poll: {},
      author: { id: 'person' },
      mentions: [],
      referenced_message: { content: 'older', author: { id: 'person' } },
    },
  };
  const sees = (over: Partial<Dispatch>, intents = 0) =>
    seesContent({ ...message, ...over }, { intents, botId: 'bot' });

  it('is seen only in direct messages, own messages and those that mention the bot [F1]', () => {
    expect(sees({})).toBe(false);
    expect(sees({}, intentBits.MESSAGE_CONTENT)).toBe(true);
    expect(sees({ name: 'TYPING_START' })).toBe(true);
    expect(sees({ data: { ...message.data, author: { id: 'bot' } } })).toBe(true);
    expect(sees({ data: { ...message.data, mentions: [{ id: 'bot' }] } })).toBe(true);
    const { guildId: _guildId, ...direct } = message;
    expect(seesContent(direct, { intents: 0, botId: 'bot' })).toBe(true);
  });

  it('is empty, in the referenced message too unless that is the bot’s own', () => {
    const hidden = withoutContent(message.data, 'bot');
    expect(hidden).toMatchObject({ content: '', embeds: [], attachments: [], components: [] });
    expect(hidden).not.toHaveProperty('poll');
    expect(hidden.referenced_message).toMatchObject({ content: '' });
    const own = { content: 'mine', author: { id: 'bot' } };
    expect(withoutContent({ ...message.data, referenced_message: own }, 'bot')).toMatchObject({
      referenced_message: own,
    });
  });
});

describe('the replay buffer', () => {
  it('keeps the last events in order and knows what it has lost', () => {
    const buffer = createReplayBuffer(3);
    for (const name of ['a', 'b', 'c', 'd', 'e']) buffer.append({ name, body: '{}' });
    expect(buffer.lastSeq).toBe(5);
    expect([3, 4, 5].map((seq) => buffer.get(seq)?.name)).toEqual(['c', 'd', 'e']);
    expect(buffer.get(2)).toBeUndefined();
    expect([1, 2, 5, 6].map((seq) => buffer.holdsAllAfter(seq))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });
});

describe('sessions', () => {
  function store(maxSessions: number) {
    const clock = new SimulatedClock();
    let ended = 0;
    const sessions = createSessionStore({
      clock,
      random: seededRandom(1),
      limits: () => ({ maxSessions, resumeWindowMs: 120_000 }),
      onEnd: () => {
        ended += 1;
      },
    });
    const create = (shardId: number) =>
      sessions.create({ shardId, shardCount: 2, intents: 0, log: createReplayBuffer(10) });
    return { clock, sessions, create, ended: () => ended };
  }
  const connection = () => ({ flush: () => {}, takenOver: () => {} });

  it('end 120 s after their connection, and not while they have one', async () => {
    const { clock, sessions, create, ended } = store(10);
    const session = create(0);
    const id = session?.id ?? '';
    const carrier = connection();
    sessions.attach(id, carrier);
    await clock.advance(500_000);
    expect(sessions.get(id)).toBe(session);
    sessions.detach(id, connection());
    expect(session?.presence.kind).toBe('live');
    sessions.detach(id, carrier);
    await clock.advance(119_999);
    expect([...sessions.ofShard({ shardId: 0, shardCount: 2 })]).toHaveLength(1);
    await clock.advance(1);
    expect(sessions.get(id)).toBeUndefined();
    expect([...sessions.shardCounts()]).toEqual([]);
    expect(ended()).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it('at their bound drop the one that has been away for longest, never a live one', async () => {
    const { clock, sessions, create } = store(2);
    const first = create(0);
    await clock.advance(10);
    const second = create(1);
    sessions.attach(second?.id ?? '', connection());
    const third = create(1);
    expect(sessions.get(first?.id ?? '')).toBeUndefined();
    sessions.attach(third?.id ?? '', connection());
    expect(create(0)).toBeUndefined();
  });
});
