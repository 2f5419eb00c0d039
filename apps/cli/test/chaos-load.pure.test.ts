import { SimulatedClock } from '@starling/clock';
import { describe, expect, it } from 'vitest';
import type { Guild, Said, Saying } from '../src/chaos/discord-side.ts';
import { MessageLoad } from '../src/chaos/message-load.ts';
import { createSpeakers } from '../src/chaos/speakers.ts';

const speaker = (n: number): Saying => ({ content: String(n), userId: '1' });

describe('the load', () => {
  it('is said at its times, whether or not the door answers', async () => {
    const clock = new SimulatedClock();
    const saidAtMs: number[] = [];
    const load = new MessageLoad({
      clock,
      speaker,
      say: async ({ content }) => {
        saidAtMs.push(load.elapsedMs());
        await clock.sleep(2_000);
        return { messageId: content, owners: 1 };
      },
    });
    const ending = new AbortController();
    const running = load.run({ perSecond: 20, signal: ending.signal });
    await clock.advance(990);
    ending.abort();
    await clock.advance(3_000);
    await running;
    expect(saidAtMs).toEqual(Array.from({ length: 20 }, (_, n) => n * 50));
    expect(load.messages).toHaveLength(20);
    expect(load.messages[3]).toEqual({
      ...{ id: '3', n: 3, userId: '1', owners: 1 },
      ...{ dueMs: 150, saidMs: 2_150 },
    });
    expect(load.unsent).toBe(0);
  });

  it('counts what could not be said, also at its bound', async () => {
    const clock = new SimulatedClock();
    const stuck = Promise.withResolvers<Said>();
    const load = new MessageLoad({
      clock,
      speaker,
      say: ({ content }) =>
        content === '0' ? Promise.reject(new Error('the door is shut')) : stuck.promise,
    });
    const ending = new AbortController();
    const running = load.run({ perSecond: 100, signal: ending.signal });
    await clock.advance(2_995);
    ending.abort();
    stuck.resolve({ messageId: '1', owners: 1 });
    await clock.advance(0);
    await running;
    expect(load.messages).toHaveLength(200);
    expect(load.unsent).toBe(100);
  });
});

const person = (n: number) => ({ id: String(10_000 + n) });

/** Guilds of twenty people, none of whom is in two. */
const guilds: readonly Guild[] = Array.from({ length: 100 }, (_, guild) => ({
  id: `g${guild}`,
  channels: ['a', 'b', 'closed'].map((name) => ({
    id: `${guild}${name}`,
    botWrites: name !== 'closed',
  })),
  members: Array.from({ length: 20 }, (_, member) => person(guild * 20 + member)),
}));

describe('the speakers', () => {
  it('meet no bound of a user, guild or channel', () => {
    const speak = createSpeakers(guilds);
    const sayings = Array.from({ length: 20 * 60 }, (_, n) => speak(n));
    for (const [n, saying] of sayings.entries()) {
      // Half a minute of the load, and the bounds of the product: three of a user, thirty of a guild.
      const before = sayings.slice(Math.max(0, n - 600), n);
      const ofUser = before.filter(({ userId }) => userId === saying.userId);
      expect(ofUser.length).toBeLessThan(2);
      if (saying.channelId === undefined) continue;
      const inChannel = before
        .slice(-100)
        .filter(({ channelId }) => channelId === saying.channelId);
      expect(inChannel.length).toBeLessThan(2);
      expect(saying.channelId).not.toContain('closed');
    }
  });

  it('write directly one time in ten, and never to somebody who takes no direct messages', () => {
    const speak = createSpeakers(guilds);
    const sayings = Array.from({ length: 40_000 }, (_, n) => speak(n));
    const direct = sayings.filter(({ dm }) => dm);
    expect(direct).toHaveLength(4_000);
    expect(direct.some(({ userId }) => userId === person(1_999).id)).toBe(false);
    expect(sayings.every(({ dm, mention }) => dm !== mention)).toBe(true);
  });

  it('are refused a world without people', () => {
    expect(() => createSpeakers([])).toThrow('too few people');
  });
});
