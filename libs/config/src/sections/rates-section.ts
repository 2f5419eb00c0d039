import { field } from '../parse.ts';

const most = 1_000_000;

/** How often people may ask; each 0 switches its limit off. Only bots read it. Set it alike for all of them. */
export const ratesSection = {
  userPerSecond: field.integer('STARLING_USER_PER_SECOND', {
    default: 2,
    min: 0,
    max: 1_000,
    unit: 'questions a second',
    doc: 'Questions of one user a second, evenly. Fewer keeps a script from spending what all share.',
  }),
  userBurst: field.integer('STARLING_USER_BURST', {
    default: 5,
    min: 1,
    max: 10_000,
    unit: 'questions',
    doc: 'Of those, so many may come at once after a pause. More forgives a quick typist.',
  }),
  userPerMinute: field.integer('STARLING_USER_PER_MINUTE', {
    default: 20,
    min: 0,
    max: most,
    unit: 'questions a minute',
    doc: 'Questions of one user in any minute, over all guilds and direct messages.',
  }),
  rolesPerMinute: field.words('STARLING_ROLES_PER_MINUTE', {
    default: undefined,
    max: 1_000,
    maxLength: 40,
    accepts: '`role id=questions a minute`, separated by commas',
    doc: 'Members with such a role may ask so many a minute instead of `STARLING_USER_PER_MINUTE`; the highest of their roles counts, and 0 is no limit.',
  }),
  channelPerMinute: field.integer('STARLING_CHANNEL_PER_MINUTE', {
    default: 60,
    min: 0,
    max: most,
    unit: 'questions a minute',
    doc: 'Questions in one channel of a guild in any minute. Fewer keeps a channel readable.',
  }),
  guildPerMinute: field.integer('STARLING_GUILD_PER_MINUTE', {
    default: 300,
    min: 0,
    max: most,
    unit: 'questions a minute',
    doc: 'Questions of one guild in any minute. Fewer leaves more to the others.',
  }),
} as const;
