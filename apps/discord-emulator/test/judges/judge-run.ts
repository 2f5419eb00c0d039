/** What every independent client library has to live through with the emulator. */
import { systemClock, systemRandom } from '@starling/clock';
import { expect, vi } from 'vitest';
import { type DiscordEmulator, startDiscordEmulator } from '../../src/emulator.ts';
import { faultSpec } from '../../src/faults/fault-spec.ts';

/** A library's bot, reduced to what it hears. */
export interface JudgedBot {
  /** Contents of the messages that it was given, in order. */
  readonly heard: readonly string[];
  /** Whether the library itself says that it is connected and ready. */
  readonly isReady: () => boolean;
}

/** An emulator with one bot's worth of shards. Its lanes are wide: some libraries wait a lane's 5 s. */
export async function startJudged(stack: AsyncDisposableStack): Promise<DiscordEmulator> {
  return stack.use(
    await startDiscordEmulator({
      clock: systemClock,
      random: systemRandom,
      world: { guilds: 3, recommendedShards: 1 },
      knobs: { permitClose1000: true },
    }),
  );
}

/** Says something as a person, through people's door. */
export async function say(emulator: DiscordEmulator, content: string): Promise<string> {
  const channelId = emulator.world
    .guild([...emulator.world.guildIds()][0] ?? '')
    ?.channels()[0]?.id;
  const response = await fetch(`${emulator.restUrl}/people/say`, {
    method: 'POST',
    body: JSON.stringify({ channelId, content }),
  });
  const said = (await response.json()) as { messageId: string; owners: number };
  expect(said).toMatchObject({ owners: 1 });
  return said.messageId;
}

/**
 * Connects, hears a message, loses its connection, misses three messages, and must hear them in order
 * after a RESUME, with no second IDENTIFY and nothing that the record holds against it.
 */
export async function mustResume(emulator: DiscordEmulator, bot: JudgedBot): Promise<void> {
  await vi.waitUntil(() => bot.isReady(), { timeout: 15_000 });
  await say(emulator, 'first');
  await vi.waitUntil(() => bot.heard.length === 1, { timeout: 15_000 });

  // Silent first, so that what is said is surely missed; then the connection breaks.
  emulator.faults.add(faultSpec.parse({ kind: 'half_open' }));
  for (const content of ['second', 'third', 'fourth']) await say(emulator, content);
  expect(emulator.faults.add(faultSpec.parse({ kind: 'drop_socket' })).hits).toBe(1);

  await vi.waitUntil(() => bot.heard.length === 4, { timeout: 15_000 });
  await say(emulator, 'fifth');
  await vi.waitUntil(() => bot.heard.length === 5, { timeout: 15_000 });
  expect(bot.heard).toEqual(['first', 'second', 'third', 'fourth', 'fifth']);
  const { counts, violations } = emulator.record.query();
  expect(counts).toMatchObject({ identifies: 1, resumes: 1, replayed_events: 3 });
  expect(counts.resumes_elsewhere).toBeUndefined();
  expect(violations).toEqual([]);
  expect(emulator.gateway.sessions()).toMatchObject([{ live: true, shard: [0, 1] }]);
}
