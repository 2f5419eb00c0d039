/** What the bot may reach, and the error when it may not. */
import type { ChannelPayload } from '../../core/payloads.ts';
import type { Guild, World } from '../../core/world.ts';
import { ApiError } from '../api-error.ts';

/** @throws ApiError 10003 there is no such channel, 50001 the bot does not see it */
export function visibleChannel(world: World, channelId: string | undefined): ChannelPayload {
  const channel = world.channel(channelId ?? '');
  if (!channel) throw new ApiError(10003);
  if (!world.botRights(channel.id).view) throw new ApiError(50001);
  return channel;
}

/**
 * A channel in which the bot may write.
 * @throws ApiError 10003, 50001, 50013 no permission, 50007 the person takes no direct messages,
 * 50083 a locked thread
 */
export function writableChannel(world: World, channelId: string | undefined): ChannelPayload {
  const channel = visibleChannel(world, channelId);
  if (!world.botRights(channel.id).send) throw new ApiError(50013);
  if (channel.type === 1 && !channel.recipients.every(({ id }) => world.takesDms(id))) {
    throw new ApiError(50007);
  }
  const isThread = channel.type === 11 || channel.type === 12;
  if (isThread && channel.thread_metadata.locked) throw new ApiError(50083);
  return channel;
}

/** @throws ApiError 10004 */
export function knownGuild(world: World, guildId: string | undefined): Guild {
  const guild = world.guild(guildId ?? '');
  if (!guild) throw new ApiError(10004);
  return guild;
}
