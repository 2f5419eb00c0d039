import { field } from '../parse.ts';

const most = 1_000_000_000_000;

/** LLM tokens that may be spent in a day or month (UTC); each 0 is no budget. Only bots read it. Set it alike for all of them. */
export const budgetsSection = {
  userPerDay: field.integer('STARLING_USER_TOKENS_PER_DAY', {
    default: 0,
    min: 0,
    max: most,
    unit: 'LLM tokens a day',
    doc: 'What one user may spend a day, prompts and answers together. A question needs room for the longest answer it may get.',
  }),
  userPerMonth: field.integer('STARLING_USER_TOKENS_PER_MONTH', {
    default: 0,
    min: 0,
    max: most,
    unit: 'LLM tokens a month',
    doc: 'What one user may spend a month: it bounds the bill of many modest days.',
  }),
  rolesPerDay: field.words('STARLING_ROLES_TOKENS_PER_DAY', {
    default: undefined,
    max: 1_000,
    maxLength: 40,
    accepts: '`role id=LLM tokens a day`, separated by commas',
    doc: 'Members with such a role may spend so much a day instead of `STARLING_USER_TOKENS_PER_DAY`; the highest of their roles counts, and 0 is no budget.',
  }),
  channelPerDay: field.integer('STARLING_CHANNEL_TOKENS_PER_DAY', {
    default: 0,
    min: 0,
    max: most,
    unit: 'LLM tokens a day',
    doc: 'What may be spent in one channel of a guild a day.',
  }),
  channelPerMonth: field.integer('STARLING_CHANNEL_TOKENS_PER_MONTH', {
    default: 0,
    min: 0,
    max: most,
    unit: 'LLM tokens a month',
    doc: 'What may be spent in one channel of a guild a month.',
  }),
  guildPerDay: field.integer('STARLING_GUILD_TOKENS_PER_DAY', {
    default: 0,
    min: 0,
    max: most,
    unit: 'LLM tokens a day',
    doc: 'What one guild may spend a day: it leaves the rest to the others.',
  }),
  guildPerMonth: field.integer('STARLING_GUILD_TOKENS_PER_MONTH', {
    default: 0,
    min: 0,
    max: most,
    unit: 'LLM tokens a month',
    doc: 'What one guild may spend a month: it bounds the bill of many modest days.',
  }),
} as const;
