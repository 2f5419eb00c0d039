/** The permission bits that the emulator reads (discord.com/developers/docs/topics/permissions). */
export const permissionBits = {
  administrator: 1n << 3n,
  viewChannel: 1n << 10n,
  sendMessages: 1n << 11n,
  manageMessages: 1n << 13n,
  embedLinks: 1n << 14n,
  attachFiles: 1n << 15n,
  readMessageHistory: 1n << 16n,
  mentionEveryone: 1n << 17n,
  createPublicThreads: 1n << 35n,
  sendMessagesInThreads: 1n << 38n,
} as const;

/** What the owner of a guild may do: everything. */
export const ownerPermissions = Object.values(permissionBits).reduce((all, bit) => all | bit, 0n);

/** What `@everyone` may do in a generated guild, the bot included. */
export const everyonePermissions =
  ownerPermissions &
  ~(permissionBits.administrator | permissionBits.mentionEveryone | permissionBits.manageMessages);

/** What the bot's own role adds. */
export const botRolePermissions = permissionBits.manageMessages | permissionBits.mentionEveryone;
