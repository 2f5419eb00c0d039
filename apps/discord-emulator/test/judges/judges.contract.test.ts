/** Independent client libraries, each with a gateway of its own making, judge the emulator. */
import { createGatewayManager } from '@discordeno/gateway';
import { Client as CloudStorm } from 'cloudstorm';
import { Client as DiscordJs, Events, GatewayIntentBits } from 'discord.js';
import { Client as Oceanic } from 'oceanic.js';
import { SnowTransfer } from 'snowtransfer';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { mustResume, say, startJudged } from './judge-run.ts';

const intents =
  GatewayIntentBits.Guilds | GatewayIntentBits.GuildMessages | GatewayIntentBits.MessageContent;
const quiet = () => {};

let stack: AsyncDisposableStack;
beforeEach(() => {
  stack = new AsyncDisposableStack();
});
afterEach(() => stack.disposeAsync());

describe('connects, receives and resumes [I1] with', () => {
  it('discord.js 14', async () => {
    const emulator = await startJudged(stack);
    const client = new DiscordJs({ intents, rest: { api: `${emulator.restUrl}/api` } });
    stack.defer(() => client.destroy());
    const heard: string[] = [];
    client.on(Events.MessageCreate, (message) => heard.push(message.content));
    await client.login(emulator.botToken);
    await mustResume(emulator, { heard, isReady: () => client.isReady() });
    expect(client.guilds.cache.size).toBe(3);
  });

  it('oceanic.js', async () => {
    const emulator = await startJudged(stack);
    const client = new Oceanic({
      auth: `Bot ${emulator.botToken}`,
      rest: { baseURL: `${emulator.restUrl}/api/v10` },
      gateway: { intents, maxShards: 1, reconnectDelay: () => 50 },
    });
    stack.defer(() => client.disconnect(false));
    client.on('error', quiet);
    const heard: string[] = [];
    client.on('messageCreate', (message) => heard.push(message.content));
    await client.connect();
    await mustResume(emulator, { heard, isReady: () => client.ready });
  });

  it('@discordeno/gateway', async () => {
    const emulator = await startJudged(stack);
    const heard: string[] = [];
    let isReady = false;
    const { url, shards, session_start_limit: limit } = emulator.gateway.gatewayBot();
    const manager = createGatewayManager({
      token: emulator.botToken,
      intents,
      totalShards: 1,
      lastShardId: 0,
      spawnShardDelay: 0,
      preferSnakeCase: true,
      connection: {
        url,
        shards,
        sessionStartLimit: {
          total: limit.total,
          remaining: limit.remaining,
          resetAfter: limit.reset_after,
          maxConcurrency: limit.max_concurrency,
        },
      },
      events: {
        message(_shard, payload) {
          if (payload.t === 'READY') isReady = true;
          if (payload.t !== 'MESSAGE_CREATE') return;
          heard.push(String((payload.d as { content: unknown }).content));
        },
      },
    });
    for (const level of ['debug', 'info', 'warn', 'error'] as const) manager.logger[level] = quiet;
    stack.defer(() => manager.shutdown(1000, 'the end'));
    await manager.spawnShards();
    await mustResume(emulator, { heard, isReady: () => isReady });
  });

  it('cloudstorm with snowtransfer', async () => {
    const emulator = await startJudged(stack);
    const client = new CloudStorm(emulator.botToken, {
      intents,
      snowtransferInstance: new SnowTransfer(emulator.botToken, { baseHost: emulator.restUrl }),
      ws: { encoding: 'json', compress: false, connectThrottle: 10 },
    });
    stack.defer(() => client.disconnect());
    client.on('error', quiet);
    const heard: string[] = [];
    let isReady = false;
    client.on('ready', () => {
      isReady = true;
    });
    client.on('dispatch', ({ t, d }) => {
      if (t === 'MESSAGE_CREATE') heard.push(d.content);
    });
    await client.connect();
    await mustResume(emulator, { heard, isReady: () => isReady });
  });
});

it('acquits a good bot that answers, and convicts it when it answers twice', async () => {
  const emulator = await startJudged(stack);
  const client = new DiscordJs({
    intents,
    enforceNonce: true,
    allowedMentions: { parse: [] },
    rest: { api: `${emulator.restUrl}/api` },
  });
  stack.defer(() => client.destroy());
  let answers = 1;
  client.on(Events.MessageCreate, (message) => {
    if (message.author.id === client.user?.id) return;
    for (let made = 0; made < answers; made++) void message.reply('here');
  });
  await client.login(emulator.botToken);
  await vi.waitUntil(() => client.isReady());

  const mention = `<@${emulator.world.bot.id}> are you there?`;
  await say(emulator, mention);
  await vi.waitUntil(() => emulator.record.query().answered === 1);
  expect(emulator.record.query({ answerDueMs: 0 }).violations).toEqual([]);
  answers = 2;
  await say(emulator, mention);
  await vi.waitUntil(() => emulator.record.query().violations.length > 0);
  expect(emulator.record.query().violationCounts).toEqual({ answered_twice: 1 });
});
