/** Answers to "request guild members" (discord.com/developers/docs/events/gateway-events#request-guild-members). */
import type { Clock } from '@starling/clock';
import type { MemberPayload } from '../core/payloads.ts';
import { intentBits } from '../core/ports.ts';
import { shardOf } from '../core/snowflake.ts';
import type { World } from '../core/world.ts';
import type { GuildMembersRequest } from './client-frames.ts';
import { opcodes } from './opcodes.ts';
import type { Session } from './session.ts';

const membersPerChunk = 1000;
/** Members found by name are at most so many. */
const maxFound = 100;

interface Answer {
  readonly name: 'GUILD_MEMBERS_CHUNK' | 'RATE_LIMITED';
  readonly data: Record<string, unknown>;
}

/** Answers requests, and holds the limit of one whole list a guild and 30 s. */
export interface GuildMembers {
  answer(session: Session, request: GuildMembersRequest): Iterable<Answer>;
}

export function createGuildMembers(parts: {
  readonly world: World;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly intervalMs: () => number;
}): GuildMembers {
  /** When the whole list of a guild was last given; at most one entry a guild of the world. */
  const lastMs = new Map<string, number>();

  function* answer(session: Session, request: GuildMembersRequest): Generator<Answer> {
    const guildId = request.guild_id;
    const guild = parts.world.guild(guildId);
    if (!guild || shardOf(guildId, session.shardCount) !== session.shardId) return;
    const wholeList =
      request.user_ids === undefined && (request.query ?? '') === '' && !request.limit;
    if (wholeList) {
      // Discord gives the whole list to nobody without the intent.
      if ((session.intents & intentBits.GUILD_MEMBERS) === 0) return;
      const nowMs = parts.clock.monotonicMs();
      const leftMs = (lastMs.get(guildId) ?? -Infinity) + parts.intervalMs() - nowMs;
      if (leftMs > 0) {
        const meta = { guild_id: guildId, ...(request.nonce && { nonce: request.nonce }) };
        const retry = { opcode: opcodes.requestGuildMembers, retry_after: leftMs / 1000, meta };
        yield { name: 'RATE_LIMITED', data: retry };
        return;
      }
      lastMs.set(guildId, nowMs);
    }
    const found = [...select(guild.members(), request)];
    const missing = request.user_ids?.filter((id) => !guild.member(id)) ?? [];
    const count = Math.max(1, Math.ceil(found.length / membersPerChunk));
    for (let index = 0; index < count; index++) {
      const data = {
        guild_id: guildId,
        members: found.slice(index * membersPerChunk, (index + 1) * membersPerChunk),
        chunk_index: index,
        chunk_count: count,
        ...(missing.length > 0 && { not_found: missing }),
        ...(request.presences && { presences: [] }),
        ...(request.nonce && { nonce: request.nonce }),
      };
      yield { name: 'GUILD_MEMBERS_CHUNK', data };
    }
  }
  return { answer };
}

function* select(
  members: Iterable<MemberPayload>,
  { user_ids: ids, query = '', limit = 0 }: GuildMembersRequest,
): Generator<MemberPayload> {
  const most = ids ? ids.length : limit > 0 ? Math.min(limit, maxFound) : Infinity;
  let found = 0;
  for (const member of members) {
    if (found >= most) return;
    const wanted = ids
      ? ids.includes(member.user.id)
      : member.user.username.startsWith(query.toLowerCase());
    if (!wanted) continue;
    found += 1;
    yield member;
  }
}
