/** What the bot asks about itself: gateway, user, application, direct messages. */
import { z } from 'zod';
import type { GatewayInfo } from '../../core/ports.ts';
import { ApiError } from '../api-error.ts';
import { parseForm } from '../forms/parse-form.ts';
import { applicationObject } from '../objects/application-object.ts';
import type { Platform } from '../platform.ts';
import type { Route } from '../router.ts';

const dmForm = z.object({ recipient_id: z.string() });
const guildsQuery = z.object({
  before: z.string().regex(/^\d+$/).optional(),
  after: z.string().regex(/^\d+$/).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(200),
});

/** Routes `/gateway`, `/users` and `/applications/@me`. */
export function selfRoutes(platform: Platform, gateway: GatewayInfo): Route[] {
  const { world } = platform;
  const get = { method: 'GET', auth: 'bot', family: 'otherRoutes' } as const;
  const application = () => ({ status: 200, body: applicationObject(world) });
  return [
    {
      ...get,
      auth: 'none',
      template: '/gateway',
      handle: () => ({ status: 200, body: { url: gateway.gatewayBot().url } }),
    },
    {
      ...get,
      template: '/gateway/bot',
      handle: () => ({ status: 200, body: gateway.gatewayBot() }),
    },
    {
      ...get,
      template: '/users/@me',
      handle: () => ({
        status: 200,
        body: { ...world.bot, mfa_enabled: true, locale: 'en-US', verified: true, email: null },
      }),
    },
    {
      ...get,
      template: '/users/@me/guilds',
      handle({ query }) {
        const page = parseForm(guildsQuery, Object.fromEntries(query));
        return { status: 200, body: guildPage(platform, page) };
      },
    },
    {
      ...get,
      method: 'POST',
      template: '/users/@me/channels',
      handle({ body }) {
        const { recipient_id: userId } = parseForm(dmForm, body.json);
        const channel = world.dmChannel(userId);
        if (!channel) throw new ApiError(50007);
        return { status: 200, body: channel };
      },
    },
    {
      ...get,
      template: '/users/:userId',
      handle({ params }) {
        const user = world.user(params.userId ?? '');
        if (!user) throw new ApiError(10013);
        return { status: 200, body: user };
      },
    },
    { ...get, template: '/applications/@me', handle: application },
    { ...get, template: '/oauth2/applications/@me', handle: application },
  ];
}

function guildPage({ world }: Platform, page: z.output<typeof guildsQuery>) {
  const guilds: object[] = [];
  for (const id of world.guildIds()) {
    if (page.after !== undefined && BigInt(id) <= BigInt(page.after)) continue;
    if (page.before !== undefined && BigInt(id) >= BigInt(page.before)) break;
    if (guilds.length === page.limit) break;
    const guild = world.guild(id);
    if (!guild) continue;
    const permissions = guild.roles()[0]?.permissions ?? '0';
    const { name } = guild;
    guilds.push({ id, name, icon: null, banner: null, owner: false, permissions, features: [] });
  }
  return guilds;
}
