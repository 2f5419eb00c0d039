/** Intents (discord.com/developers/docs/events/gateway#gateway-intents). */
import { intentBits } from '../core/ports.ts';
import type { WorldSpec } from '../core/world-spec.ts';
import type { ServerCloseCode } from './close-codes.ts';

/** Every bit that Discord knows: 0 to 16, 20, 21, 24 and 25. */
const knownIntents = [...Array(17).keys(), 20, 21, 24, 25].reduce(
  (all, bit) => all | (1 << bit),
  0,
);

const privileged = ['GUILD_MEMBERS', 'GUILD_PRESENCES', 'MESSAGE_CONTENT'] as const;

/** @returns the close code that these intents deserve, if any */
export function intentsProblem(intents: number, spec: WorldSpec): ServerCloseCode | undefined {
  if (intents < 0 || (intents & ~knownIntents) !== 0 || intents > knownIntents) return 4013;
  const refused = privileged.some(
    (name) => (intents & intentBits[name]) !== 0 && !spec.bot.privilegedIntents.includes(name),
  );
  return refused ? 4014 : undefined;
}
