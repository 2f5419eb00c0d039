import { SimulatedClock, seededRandom } from '@starling/clock';
import { describe, expect, it } from 'vitest';
import { createKnobs } from '../src/core/knobs.ts';
import type { MessagePayload } from '../src/core/payloads.ts';
import { createSnowflakes, shardOf, snowflakeMs } from '../src/core/snowflake.ts';
import { createWorld } from '../src/core/world.ts';
import type { WorldInput } from '../src/core/world-spec.ts';

function makeWorld(world: WorldInput = {}, knobs = createKnobs()) {
  return createWorld({ clock: new SimulatedClock(), random: seededRandom(7), knobs, world });
}

describe('snowflakes', () => {
  it('rise and never repeat, also past 4096 in one millisecond and when the clock steps back', () => {
    let nowMs = 1_700_000_000_000;
    const ids = createSnowflakes({ nowMs: () => nowMs });
    const made = Array.from({ length: 10_000 }, () => BigInt(ids.next()));
    nowMs -= 5000;
    made.push(BigInt(ids.next()));
    expect(made.every((id, index) => index === 0 || id > (made[index - 1] ?? 0n))).toBe(true);
    expect(snowflakeMs(String(made[0]))).toBe(1_700_000_000_000);
  });
});

describe('a generated world', () => {
  it('is the same for one seed and another for another', () => {
    const names = (seed: number) => {
      const world = makeWorld({ seed, guilds: 50 });
      return [...world.guildIds()].map((id) => world.guild(id)?.name);
    };
    expect(names(1)).toEqual(names(1));
    expect(names(1)).not.toEqual(names(2));
  });

  it('spreads 10 000 guilds evenly over any number of shards', () => {
    const world = makeWorld({ guilds: 10_000 });
    const perShard = new Map<number, number>();
    for (const id of world.guildIds()) {
      perShard.set(shardOf(id, 16), (perShard.get(shardOf(id, 16)) ?? 0) + 1);
    }
    expect([...perShard.values()]).toEqual(Array.from({ length: 16 }, () => 625));
  });

  it('knows its channels, members and the rights of the bot by arithmetic', () => {
    const world = makeWorld({ guilds: 3, people: 40, membersPerGuild: 10 });
    const guild = world.guild([...world.guildIds()][2] ?? '');
    const channels = guild?.channels() ?? [];
    expect(channels.map(({ name }) => name)).toEqual([
      'general',
      'questions',
      'announcements',
      'staff',
    ]);
    expect(channels.map(({ id }) => world.channel(id))).toEqual(channels);
    expect(channels.map(({ id }) => world.botRights(id))).toEqual([
      { view: true, send: true },
      { view: true, send: true },
      { view: true, send: false },
      { view: false, send: false },
    ]);
    const members = [...(guild?.members() ?? [])];
    expect(members).toHaveLength(11);
    for (const member of members) expect(guild?.member(member.user.id)).toEqual(member);
    const outsiders = Array.from({ length: 40 }, (_, index) => world.personAt(index)?.id ?? '');
    expect(outsiders.filter((id) => guild?.member(id))).toHaveLength(10);
  });

  it('answers unknown ids with nothing', () => {
    const world = makeWorld();
    for (const id of ['', 'abc', '1', '999999999999999999', `${2n ** 63n}`]) {
      expect(world.guild(id)).toBeUndefined();
      expect(world.channel(id)).toBeUndefined();
      expect(world.user(id)).toBeUndefined();
      expect(world.dmChannel(id)).toBeUndefined();
    }
  });

  it('makes one direct-message channel a person, and refuses past its bound', () => {
    const world = makeWorld({ people: 3 }, createKnobs({ channelsKept: 1 }));
    const first = world.dmChannel(world.personAt(0)?.id ?? '');
    expect(world.dmChannel(world.personAt(0)?.id ?? '')).toBe(first);
    expect(() => world.dmChannel(world.personAt(1)?.id ?? '')).toThrow('channelsKept');
    expect(world.takesDms(world.personAt(2)?.id ?? '')).toBe(false);
  });

  it('keeps threads beside the channels of their guild, with the rights of their parent', () => {
    const world = makeWorld();
    const guild = world.guild([...world.guildIds()][0] ?? '');
    const parent = guild?.channels()[2];
    const id = world.snowflakes.next();
    world.putChannel({
      id,
      type: 11,
      guild_id: guild?.id ?? '',
      parent_id: parent?.id ?? '',
      name: 'a thread',
      owner_id: world.bot.id,
      rate_limit_per_user: 0,
      message_count: 0,
      member_count: 1,
      total_message_sent: 0,
      last_message_id: null,
      flags: 0,
      thread_metadata: {
        archived: false,
        auto_archive_duration: 1440,
        archive_timestamp: new Date(0).toISOString(),
        create_timestamp: new Date(0).toISOString(),
        locked: false,
      },
    });
    expect(guild?.threads().map((thread) => thread.id)).toEqual([id]);
    expect(world.botRights(id)).toEqual({ view: true, send: false });
    expect(world.removeChannel(id)).toBe(true);
    expect(guild?.threads()).toEqual([]);
    expect(world.removeChannel(parent?.id ?? '')).toBe(false);
  });

  it('refuses a description that is wrong, naming the field', () => {
    expect(() => makeWorld({ guilds: 10_001 })).toThrow('guilds');
    expect(() => makeWorld(JSON.parse('{"gilds":1}'))).toThrow('gilds');
  });
});

describe('messages', () => {
  const message = (world: ReturnType<typeof makeWorld>, channelId: string): MessagePayload => ({
    id: world.snowflakes.next(),
    channel_id: channelId,
    author: world.bot,
    type: 0,
    content: 'hello',
    timestamp: new Date(0).toISOString(),
    edited_timestamp: null,
    flags: 0,
    tts: false,
    pinned: false,
    mention_everyone: false,
    mentions: [],
    mention_roles: [],
    attachments: [],
    embeds: [],
    components: [],
  });

  it('are listed newest first, before, after and around an id', () => {
    const world = makeWorld();
    const ids = Array.from({ length: 7 }, () => {
      const made = message(world, '1');
      world.messages.add(made);
      return made.id;
    });
    const listed = (query: object) =>
      world.messages.list('1', { limit: 3, ...query }).map(({ id }) => ids.indexOf(id));
    expect(listed({})).toEqual([6, 5, 4]);
    expect(listed({ before: ids[4] })).toEqual([3, 2, 1]);
    expect(listed({ after: ids[2] })).toEqual([5, 4, 3]);
    expect(listed({ around: ids[3] })).toEqual([4, 3, 2]);
  });

  it('are bounded in each channel and in all: the oldest goes', () => {
    const world = makeWorld({}, createKnobs({ messagesKeptPerChannel: 2, messagesKept: 3 }));
    const [a, b, c] = [message(world, '1'), message(world, '1'), message(world, '1')];
    for (const one of [a, b, c]) world.messages.add(one);
    expect(world.messages.list('1', { limit: 9 })).toEqual([c, b]);
    const [d, e] = [message(world, '2'), message(world, '2')];
    for (const one of [d, e]) world.messages.add(one);
    expect(world.messages.list('1', { limit: 9 })).toEqual([c]);
    expect(world.messages.size).toBe(3);
    expect(world.messages.replace({ ...a, content: 'late' })).toBe(false);
    expect(world.messages.remove('2', d.id)).toEqual(d);
    expect(world.messages.size).toBe(2);
  });
});
