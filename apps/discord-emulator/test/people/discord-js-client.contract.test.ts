import { systemClock, systemRandom } from '@starling/clock';
import {
  ActionRowBuilder,
  ButtonBuilder,
  ButtonStyle,
  Client,
  Events,
  GatewayIntentBits,
  type Interaction,
  type Message,
  Partials,
} from 'discord.js';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type DiscordEmulator, startDiscordEmulator } from '../../src/emulator.ts';

let emulator: DiscordEmulator;
let client: Client<true>;

beforeEach(async () => {
  emulator = await startDiscordEmulator({ clock: systemClock, random: systemRandom });
  const { Guilds, GuildMessages, DirectMessages, MessageContent } = GatewayIntentBits;
  const bot = new Client({
    intents: [Guilds, GuildMessages, DirectMessages, MessageContent],
    partials: [Partials.Channel],
    shards: 'auto',
    rest: { api: `${emulator.restUrl}/api` },
    allowedMentions: { parse: [], repliedUser: false },
  });
  const ready = new Promise<Client<true>>((resolve) => bot.once(Events.ClientReady, resolve));
  await bot.login(emulator.botToken);
  client = await ready;
});
afterEach(async () => {
  await client.destroy();
  await emulator.close();
});

/** The fields of the door's answers that these tests read. */
interface Told {
  readonly messageId: string;
  readonly interactionId: string;
  readonly channelId: string;
  readonly userId: string;
  readonly owners: number;
  readonly messages: readonly { readonly id: string }[];
}

async function people(method: 'GET' | 'POST', path: string, body?: object): Promise<Told> {
  const response = await fetch(`${emulator.restUrl}/people${path}`, {
    method,
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return (await response.json()) as Told;
}

/** What the bot does with what is addressed to it; its failures end the test. */
function onAddressed(handle: (message: Message) => Promise<unknown>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    client.on(Events.MessageCreate, (message) => {
      if (message.author.bot) return;
      if (!message.inGuild() || message.mentions.has(client.user)) {
        handle(message).then(resolve, reject);
      }
    });
  });
}

it('answers a mention: typing, a reply, an edit, and a person sees the answer [F1, A9]', async () => {
  const answered = onAddressed(async (message) => {
    if ('sendTyping' in message.channel) await message.channel.sendTyping();
    const reply = await message.reply({ content: 'let me see…', nonce: 'a-1', enforceNonce: true });
    await reply.edit(`you said ${message.cleanContent.replace(/^@\S+ /, '')}`);
  });
  const said = await people('POST', '/say', { content: 'hello', mention: true });
  expect(said.owners).toBe(1);
  await answered;
  const answer = await people('GET', `/answer?messageId=${said.messageId}&quietMs=0`);
  expect(answer).toMatchObject({
    answered: true,
    text: 'you said hello',
    edits: 1,
    firstTextMs: expect.any(Number),
    typing: [expect.any(Number)],
    messages: [{ replyTo: said.messageId, editedCount: 1 }],
  });
  const record = emulator.record.query();
  expect(record).toMatchObject({ answered: 1, owed: [], violations: [] });
});

it('answers a direct message without a reference [F1]', async () => {
  const answered = onAddressed((message) =>
    message.channel.isSendable() ? message.channel.send('here I am') : Promise.reject(message),
  );
  const said = await people('POST', '/say', { dm: true, content: 'psst' });
  await answered;
  const answer = await people('GET', `/answer?messageId=${said.messageId}&quietMs=0`);
  expect(answer).toMatchObject({ answered: true, text: 'here I am' });
  expect(emulator.record.query()).toMatchObject({ answered: 1, owed: [], violations: [] });
});

it('registers a command, defers, completes, follows up; a button stops it [F1, A10]', async () => {
  await client.application.commands.set([{ name: 'chat', description: 'Talks' }]);
  const stop = new ButtonBuilder()
    .setCustomId('stop')
    .setLabel('Stop')
    .setStyle(ButtonStyle.Danger);
  const stopped = new Promise((resolve, reject) => {
    const respond = async (interaction: Interaction) => {
      if (interaction.isChatInputCommand()) {
        await interaction.deferReply();
        const components = [new ActionRowBuilder<ButtonBuilder>().addComponents(stop)];
        await interaction.editReply({ content: 'part 1', components });
        await interaction.followUp('part 2');
      } else if (interaction.isButton()) {
        await interaction.update({ content: 'stopped', components: [] });
        resolve(undefined);
      }
    };
    client.on(Events.InteractionCreate, (interaction) => {
      respond(interaction).catch(reject);
    });
  });
  const used = await people('POST', '/command', { name: 'chat' });
  const path = `/answer?interactionId=${used.interactionId}`;
  await expect
    .poll(() => people('GET', `${path}&timeoutMs=5000&quietMs=50`))
    .toMatchObject({ answered: true, text: 'part 1\npart 2', expired: false });
  const [first] = (await people('GET', `${path}&quietMs=0`)).messages;
  const press = { messageId: first?.id, userId: used.userId, customId: 'stop' };
  await people('POST', '/press', press);
  await stopped;
  expect((await people('GET', `${path}&quietMs=0`)).messages[0]).toMatchObject({
    content: 'stopped',
    components: [],
  });
  expect(emulator.record.query()).toMatchObject({ owed: [], violations: [] });
});

it('hears of edits and of what people take back', async () => {
  const heard: string[] = [];
  client.on(Events.MessageUpdate, (_before, after) => heard.push(`edited ${after.content}`));
  client.on(Events.MessageDelete, ({ id }) => heard.push(`deleted ${id}`));
  const { messageId } = await people('POST', '/say', { content: 'a', mention: true });
  await expect.poll(() => client.channels.cache.size).toBeGreaterThan(0);
  await people('POST', '/edit', { messageId, content: 'b' });
  await people('POST', '/delete', { messageId });
  await expect.poll(() => heard).toEqual(['edited b', `deleted ${messageId}`]);
});

it('reads history, threads, members and itself through the client’s managers', async () => {
  const said = await people('POST', '/say', { content: 'first' });
  const channel = await client.channels.fetch(said.channelId);
  if (!channel?.isTextBased() || channel.isDMBased()) throw new Error('not a guild channel');
  expect((await channel.messages.fetch({ limit: 10 })).first()?.content).toBe('first');
  const message = await channel.messages.fetch(said.messageId);
  const thread = await message.startThread({ name: 'on the side' });
  await thread.send('in here');
  await thread.setArchived(true);
  expect((await client.channels.fetch(thread.id, { force: true }))?.isThread()).toBe(true);
  expect((await channel.guild.members.fetch(said.userId)).id).toBe(said.userId);
  expect((await client.application.fetch()).name).toBe(emulator.world.application.name);
});
