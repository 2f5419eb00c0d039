/** What people can find: guilds with their channels and members, and what stands in a channel. */
import { z } from 'zod';
import { visibleTo } from '../rest/messages/message-draft.ts';
import type { Platform } from '../rest/platform.ts';
import { viewOf } from './message-view.ts';
import { parseInput } from './people-error.ts';
import { refuse } from './places.ts';

const guildsQuery = z.strictObject({
  offset: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(1000).default(25),
  /** Members listed of each guild. */
  members: z.coerce.number().int().min(0).max(1000).default(20),
});
const channelQuery = z.strictObject({
  id: z.string(),
  /** As this person sees it, with what only they see. */
  userId: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

/** One page of guilds. */
export function listGuilds({ world }: Platform, query: unknown): object {
  const page = parseInput(guildsQuery, query);
  const guilds: object[] = [];
  let place = 0;
  for (const guildId of world.guildIds()) {
    if (place++ < page.offset) continue;
    if (guilds.length === page.limit) break;
    const guild = world.guild(guildId);
    if (!guild) continue;
    const members: object[] = [];
    if (page.members > 0) {
      for (const { user } of guild.members()) {
        if (user.bot) continue;
        members.push({ id: user.id, name: user.global_name ?? user.username });
        if (members.length === page.members) break;
      }
    }
    const channels = guild.channels().map(({ id, name }) => {
      const { view, send } = world.botRights(id);
      return { id, name, botSees: view, botWrites: send };
    });
    const { id, name, ownerId } = guild;
    guilds.push({ id, name, ownerId, channels, members });
  }
  const { id, username: name } = world.bot;
  return { total: world.spec.guilds, offset: page.offset, bot: { id, name }, guilds };
}

/** The last messages of a channel, oldest first. */
export function viewChannel({ world, board }: Platform, query: unknown): object {
  const { id, userId, limit } = parseInput(channelQuery, query);
  const channel = world.channel(id);
  if (!channel) throw refuse('id', id, 'there is no such channel', 'GET /people/guilds lists them');
  const own = userId === undefined ? [] : board.ephemeralsOf(id);
  const messages = [...world.messages.list(id, { limit }), ...own]
    .filter((message) => userId === undefined || visibleTo(message, userId))
    .sort((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1))
    .slice(-limit);
  return {
    id,
    type: channel.type,
    ...(channel.type === 1 ? {} : { guildId: channel.guild_id, name: channel.name }),
    messages: messages.map((message) => viewOf(message)),
  };
}
