/** Reading guilds, their channels, members and roles (docs: Guild). */
import { z } from 'zod';
import type { MemberPayload } from '../../core/payloads.ts';
import { ApiError } from '../api-error.ts';
import { parseForm } from '../forms/parse-form.ts';
import { guildObject } from '../objects/guild-object.ts';
import type { Platform } from '../platform.ts';
import type { HttpMethod, Route, RouteCall } from '../router.ts';
import { knownGuild } from './channel-access.ts';

const membersQuery = z.object({
  limit: z.coerce.number().int().min(1).max(1000).default(1),
  after: z.string().regex(/^\d+$/).default('0'),
});

/** Routes below `/guilds/:guildId`. */
export function guildRoutes({ world }: Platform): Route[] {
  const get = (template: string, bodyOf: (call: RouteCall) => unknown): Route => ({
    method: 'GET' satisfies HttpMethod,
    template: `/guilds/:guildId${template}`,
    auth: 'bot',
    family: 'otherRoutes',
    handle: (call) => ({ status: 200, body: bodyOf(call) }),
  });
  const guildOf = ({ params }: RouteCall) => knownGuild(world, params.guildId);
  return [
    get('', (call) => {
      const guild = guildOf(call);
      const counts = { approximate_member_count: guild.memberCount, approximate_presence_count: 0 };
      const counted = call.query.get('with_counts') === 'true';
      return { ...guildObject(world, guild), ...(counted ? counts : {}) };
    }),
    get('/channels', (call) => guildOf(call).channels()),
    get('/roles', (call) => guildOf(call).roles()),
    get('/threads/active', (call) => {
      const threads = guildOf(call)
        .threads()
        .filter(({ thread_metadata: { archived } }) => !archived);
      return { threads, members: [], has_more: false };
    }),
    get('/members', (call) => {
      const { limit, after } = parseForm(membersQuery, Object.fromEntries(call.query));
      const page: MemberPayload[] = [];
      for (const member of inIdOrder(guildOf(call).members())) {
        if (BigInt(member.user.id) > BigInt(after)) page.push(member);
        if (page.length === limit) break;
      }
      return page;
    }),
    get('/members/:userId', (call) => {
      const member = guildOf(call).member(call.params.userId ?? '');
      if (!member) throw new ApiError(10007);
      return member;
    }),
  ];
}

/** Pages go by id (docs: List Guild Members); a guild's people are a run that may wrap around. */
function inIdOrder(members: Iterable<MemberPayload>): MemberPayload[] {
  return [...members].sort((a, b) => (BigInt(a.user.id) < BigInt(b.user.id) ? -1 : 1));
}
