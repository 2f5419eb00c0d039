/** Registering commands, globally and in one guild (docs: Application Commands). */
import { ApiError } from '../api-error.ts';
import { commandForm, commandsForm } from '../commands/command-form.ts';
import { parseForm } from '../forms/parse-form.ts';
import type { Platform } from '../platform.ts';
import type { HttpMethod, RestResponse, Route, RouteCall } from '../router.ts';
import { knownGuild } from './channel-access.ts';

/** Routes `/applications/:applicationId/commands` and those of `/guilds/:guildId` below it. */
export function commandRoutes({ world, commands }: Platform): Route[] {
  /** Declares one route for both scopes; the handler is given the guild's id, or nothing. */
  const both = (
    method: HttpMethod,
    rest: '' | '/:commandId',
    handle: (call: RouteCall, guildId: string | undefined) => RestResponse,
  ): Route[] =>
    ['/commands', '/guilds/:guildId/commands'].map((scope) => ({
      method,
      template: `/applications/:applicationId${scope}${rest}`,
      auth: 'bot',
      family: 'otherRoutes',
      handle(call) {
        if (call.params.applicationId !== world.application.id) throw new ApiError(50001);
        const { guildId } = call.params;
        return handle(call, guildId === undefined ? undefined : knownGuild(world, guildId).id);
      },
    }));
  const where = ({ params }: RouteCall, guildId: string | undefined) => ({
    guildId,
    commandId: params.commandId ?? '',
  });
  return [
    ...both('GET', '', (_call, guildId) => ({ status: 200, body: commands.list(guildId) })),
    ...both('POST', '', ({ body }, guildId) => {
      const outcome = commands.upsert(parseForm(commandForm, body.json), guildId);
      return { status: outcome.created ? 201 : 200, body: outcome.command };
    }),
    ...both('PUT', '', ({ body }, guildId) => ({
      status: 200,
      body: commands.overwrite(parseForm(commandsForm, body.json), guildId),
    })),
    ...both('GET', '/:commandId', (call, guildId) => ({
      status: 200,
      body: commands.get(where(call, guildId)),
    })),
    ...both('PATCH', '/:commandId', (call, guildId) => {
      const known = commands.get(where(call, guildId));
      const patch = typeof call.body.json === 'object' ? call.body.json : {};
      const form = parseForm(commandForm, { ...known, ...patch });
      return { status: 200, body: commands.replace(form, where(call, guildId)) };
    }),
    ...both('DELETE', '/:commandId', (call, guildId) => {
      commands.remove(where(call, guildId));
      return { status: 204 };
    }),
  ];
}
