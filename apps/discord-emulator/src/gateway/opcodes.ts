import type { GatewayOpcodes } from 'discord-api-types/v10';

/** Gateway opcodes (discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-opcodes). */
export const opcodes = {
  dispatch: 0,
  heartbeat: 1,
  identify: 2,
  presenceUpdate: 3,
  voiceStateUpdate: 4,
  resume: 6,
  reconnect: 7,
  requestGuildMembers: 8,
  invalidSession: 9,
  hello: 10,
  heartbeatAck: 11,
  requestSoundboardSounds: 31,
} as const satisfies Record<
  string,
  `${GatewayOpcodes}` extends `${infer N extends number}` ? N : never
>;
