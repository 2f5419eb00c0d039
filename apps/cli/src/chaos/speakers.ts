import type { Guild, Saying } from './discord-side.ts';
import { interruptionOf, longAnswer } from './interruptions.ts';

/** One message of so many is a direct one. */
const dmEvery = 10;

/**
 * Who says what as the n-th message: guild after guild, in a guild channel after channel and member
 * after member, so that no bound of a user, guild or channel is met; each tenth one is a direct
 * message of somebody who has not written to the bot for long. A message has its number in the
 * provider's record, and one that will be taken back asks for a long answer.
 * @throws {Error} when the world has nobody who can write to the bot
 */
export function createSpeakers(guilds: readonly Guild[]): (n: number) => Saying {
  const places = guilds.flatMap(({ channels, members }) => {
    const open = channels.filter(({ botWrites }) => botWrites);
    return open.length > 0 && members.length > 0 ? [{ channels: open, members }] : [];
  });
  const people = [...new Set(places.flatMap(({ members }) => members.map(({ id }) => id)))].sort(
    (a, b) => (BigInt(a) < BigInt(b) ? -1 : 1),
  );
  // The last people of the emulated world take no direct messages.
  const reachable = people.slice(0, -1);
  if (reachable.length === 0) throw new Error('the emulated world has too few people');

  return (n) => {
    const length = interruptionOf(n) === undefined ? '' : ` ${longAnswer}`;
    const content = `Question ${n}: how do starlings turn together? [[tag:${n}]]${length}`;
    if (n % dmEvery === dmEvery - 1) {
      // Counted from the other end than guilds are, so that few people do both at once.
      const userId = reachable.at(-1 - (Math.floor(n / dmEvery) % reachable.length)) ?? '';
      return { content, userId, dm: true };
    }
    const place = places[n % places.length];
    const round = Math.floor(n / places.length);
    const member = place?.members[round % place.members.length];
    const channel = place?.channels[round % place.channels.length];
    return {
      content,
      userId: member?.id ?? '',
      ...(channel && { channelId: channel.id }),
      mention: true,
    };
  };
}
