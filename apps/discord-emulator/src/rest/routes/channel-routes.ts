/** Channels and threads (docs: Channel). */
import { GatewayIntentBits } from 'discord-api-types/v10';
import { z } from 'zod';
import type { ChannelPayload, MessagePayload, ThreadPayload } from '../../core/payloads.ts';
import { ApiError } from '../api-error.ts';
import { parseForm } from '../forms/parse-form.ts';
import type { Platform } from '../platform.ts';
import type { Route } from '../router.ts';
import { visibleChannel, writableChannel } from './channel-access.ts';

const name = z.string().trim().min(1).max(100);
const archiveAfter = z.union([60, 1440, 4320, 10_080].map((minutes) => z.literal(minutes)));
const threadForm = z.object({
  name,
  type: z.union([z.literal(11), z.literal(12)]).nullish(),
  auto_archive_duration: archiveAfter.nullish(),
  rate_limit_per_user: z.number().int().min(0).max(21_600).nullish(),
});
const channelForm = z.object({
  name: name.optional(),
  topic: z.string().max(1024).nullish(),
  archived: z.boolean().optional(),
  locked: z.boolean().optional(),
  auto_archive_duration: archiveAfter.optional(),
  rate_limit_per_user: z.number().int().min(0).max(21_600).nullish(),
});

/** Routes `/channels/:channelId` itself, and threads below it. */
export function channelRoutes(platform: Platform): Route[] {
  const { world, board } = platform;
  const channelRoute = {
    template: '/channels/:channelId',
    auth: 'bot',
    family: 'otherRoutes',
  } as const;
  return [
    {
      ...channelRoute,
      method: 'GET',
      handle({ params }) {
        const channel = visibleChannel(world, params.channelId);
        const [last] = world.messages.list(channel.id, { limit: 1 });
        return { status: 200, body: { ...channel, last_message_id: last?.id ?? null } };
      },
    },
    {
      ...channelRoute,
      method: 'PATCH',
      handle({ params, body }) {
        const channel = visibleChannel(world, params.channelId);
        const changed = changedChannel(platform, channel, parseForm(channelForm, body.json));
        world.putChannel(changed);
        tell(platform, isThread(changed) ? 'THREAD_UPDATE' : 'CHANNEL_UPDATE', changed);
        return { status: 200, body: changed };
      },
    },
    {
      ...channelRoute,
      method: 'DELETE',
      handle({ params }) {
        const channel = visibleChannel(world, params.channelId);
        if (channel.type === 0) throw new ApiError(50013);
        if (isThread(channel)) {
          world.removeChannel(channel.id);
          tell(platform, 'THREAD_DELETE', channel);
        }
        return { status: 200, body: channel };
      },
    },
    {
      ...channelRoute,
      method: 'POST',
      template: '/channels/:channelId/threads',
      handle({ params, body }) {
        const parent = writableChannel(world, params.channelId);
        const form = parseForm(threadForm, body.json);
        return { status: 201, body: openThread(platform, { parent, form }) };
      },
    },
    {
      ...channelRoute,
      method: 'POST',
      template: '/channels/:channelId/messages/:messageId/threads',
      handle({ params, body }) {
        const parent = writableChannel(world, params.channelId);
        const message = board.get(parent.id, params.messageId ?? '');
        if (!message) throw new ApiError(10008);
        if (message.thread) throw new ApiError(160004);
        const form = { ...parseForm(threadForm, body.json), type: 11 as const };
        const thread = openThread(platform, { parent, form, message });
        board.attach({ ...message, flags: message.flags | hasThread, thread });
        return { status: 201, body: thread };
      },
    },
  ];
}

/** Message flag HAS_THREAD. */
const hasThread = 1 << 5;

const isThread = (channel: ChannelPayload): channel is ThreadPayload =>
  channel.type === 11 || channel.type === 12;

function openThread(
  platform: Platform,
  given: {
    readonly parent: ChannelPayload;
    readonly form: z.output<typeof threadForm>;
    /** The message that it starts from; the thread has its id. */
    readonly message?: MessagePayload;
  },
): ThreadPayload {
  const { world, clock } = platform;
  const { parent, form, message } = given;
  if (parent.type !== 0) throw new ApiError(50024);
  const at = new Date(clock.nowMs()).toISOString();
  const thread: ThreadPayload = {
    id: message?.id ?? world.snowflakes.next(),
    // Without a type it is private (docs: Start Thread without Message).
    type: form.type ?? 12,
    guild_id: parent.guild_id,
    parent_id: parent.id,
    name: form.name,
    owner_id: world.bot.id,
    rate_limit_per_user: form.rate_limit_per_user ?? 0,
    message_count: 0,
    member_count: 1,
    total_message_sent: 0,
    last_message_id: null,
    flags: 0,
    thread_metadata: {
      archived: false,
      auto_archive_duration: form.auto_archive_duration ?? 1440,
      archive_timestamp: at,
      create_timestamp: at,
      locked: false,
    },
  };
  world.putChannel(thread);
  tell(platform, 'THREAD_CREATE', thread);
  return thread;
}

function changedChannel(
  { clock }: Platform,
  channel: ChannelPayload,
  form: z.output<typeof channelForm>,
): ChannelPayload {
  if (channel.type === 1) throw new ApiError(50003);
  const named = { ...channel, name: form.name ?? channel.name };
  const rate_limit_per_user = form.rate_limit_per_user ?? channel.rate_limit_per_user;
  if (!isThread(named)) {
    const topic = form.topic === undefined ? named.topic : form.topic;
    return { ...named, rate_limit_per_user, topic };
  }
  const before = named.thread_metadata;
  const archived = form.archived ?? before.archived;
  return {
    ...named,
    rate_limit_per_user,
    thread_metadata: {
      ...before,
      archived,
      locked: form.locked ?? before.locked,
      auto_archive_duration: form.auto_archive_duration ?? before.auto_archive_duration,
      archive_timestamp:
        archived === before.archived
          ? before.archive_timestamp
          : new Date(clock.nowMs()).toISOString(),
    },
  };
}

function tell(platform: Platform, event: string, channel: ChannelPayload): void {
  if (channel.type === 1) return;
  const { guild_id: guildId } = channel;
  const created = event === 'THREAD_CREATE' ? { newly_created: true } : {};
  platform.dispatcher.dispatch({
    name: event,
    guildId,
    intents: GatewayIntentBits.Guilds,
    data: { ...channel, ...created },
  });
}
