/** The bot's application as REST serves it (docs: Application). */
import type { World } from '../../core/world.ts';

/** The key by which HTTP interactions are verified; there are none here, so it opens nothing. */
const unusedVerifyKey = '0'.repeat(64);

export function applicationObject(world: World): Readonly<Record<string, unknown>> {
  const { id, name, flags } = world.application;
  return {
    id,
    name,
    icon: null,
    description: '',
    type: null,
    flags,
    flags_new: String(flags),
    bot: world.bot,
    bot_public: true,
    bot_require_code_grant: false,
    verify_key: unusedVerifyKey,
    redirect_uris: [],
    interactions_endpoint_url: null,
    role_connections_verification_url: null,
    owner: world.personAt(0),
    approximate_guild_count: world.spec.guilds,
    approximate_user_install_count: 0,
    approximate_user_authorization_count: 0,
    explicit_content_filter: 0,
    team: null,
    eligible_oauth2_scopes: [],
  };
}
