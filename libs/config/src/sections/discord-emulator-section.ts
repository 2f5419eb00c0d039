import { field } from '../parse.ts';

/** The emulated Discord. */
export const discordEmulatorSection = {
  host: field.text('STARLING_DISCORD_EMULATOR_HOST', {
    default: '127.0.0.1',
    accepts: 'address',
    doc: 'The address that the Discord emulator listens on. It has no lock on its doors for people and control: leave loopback only inside a closed network.',
  }),
  restPort: field.integer('STARLING_DISCORD_EMULATOR_REST_PORT', {
    default: 0,
    min: 0,
    max: 65_535,
    doc: 'The port of its REST API and of its doors; 0 takes a free one and tells it with readiness. `npm start` sets it.',
  }),
  gatewayPort: field.integer('STARLING_DISCORD_EMULATOR_GATEWAY_PORT', {
    default: 0,
    min: 0,
    max: 65_535,
    doc: 'The port of its gateway, apart from the other so that it can refuse connections. 0 takes a free one.',
  }),
  botToken: field.text('STARLING_DISCORD_EMULATOR_BOT_TOKEN', {
    default: undefined,
    secret: true,
    accepts: 'any text without spaces',
    pattern: /^\S{8,200}$/,
    doc: 'The only bot token that it lets in, so that a bot outlives a restart of the emulator. Unset, a new one is made at each start and told with readiness.',
  }),
  guilds: field.integer('STARLING_DISCORD_EMULATOR_GUILDS', {
    default: 8,
    min: 0,
    max: 10_000,
    doc: 'Guilds of its world. More are nearer to a large bot and take the bot memory and time at each start; the emulator itself hardly notices.',
  }),
  people: field.integer('STARLING_DISCORD_EMULATOR_PEOPLE', {
    default: 200,
    min: 1,
    max: 1_000_000,
    doc: 'People who can write to the bot; a load test takes as many as it has virtual users.',
  }),
  seed: field.integer('STARLING_DISCORD_EMULATOR_SEED', {
    default: 1,
    min: 0,
    max: 4_294_967_295,
    doc: 'Names and memberships of its world follow from this number.',
  }),
  recommendedShards: field.integer('STARLING_DISCORD_EMULATOR_SHARDS', {
    default: 4,
    min: 1,
    max: 16_384,
    doc: 'The number of shards that it recommends to the bot.',
  }),
  globalPerSecond: field.integer('STARLING_DISCORD_EMULATOR_GLOBAL_PER_SECOND', {
    default: 50,
    min: 1,
    max: 1_000_000,
    unit: 'requests a second',
    doc: "Discord's global REST limit; 500 stands for a bot whose limit Discord has raised. Higher lets a load test send more than a bot of this size may.",
  }),
} as const;
