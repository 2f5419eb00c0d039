import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { intentBits } from '../../src/core/ports.ts';
import { shardOf } from '../../src/core/snowflake.ts';
import { gatewayFixture, heard } from './gateway-fixture.ts';

let stack: AsyncDisposableStack;
beforeEach(() => {
  stack = new AsyncDisposableStack();
});
afterEach(() => stack.disposeAsync());

describe('connecting', () => {
  it('says HELLO, READY with the shard’s guilds as unavailable, then each of them', async () => {
    const { ready, world } = await gatewayFixture(stack, { world: { guilds: 9 } });
    const { client, ready: data } = await ready({ shard: [1, 4] });
    expect(client.frames[0]).toMatchObject({ op: 10, d: { heartbeat_interval: 41_250 } });
    const owned = [...world.guildIds()].filter((id) => shardOf(id, 4) === 1);
    expect(data).toMatchObject({
      v: 10,
      user: { id: world.bot.id, bot: true },
      guilds: owned.map((id) => ({ id, unavailable: true })),
      shard: [1, 4],
      application: { id: world.application.id },
    });
    const creates = client.frames.filter(({ t }) => t === 'GUILD_CREATE');
    expect(creates.map(({ d }) => (d as { id: string }).id)).toEqual(owned);
    expect(creates[0]?.d).toMatchObject({
      unavailable: false,
      member_count: 21,
      channels: [{ name: 'general' }, {}, {}, {}],
      members: [{ user: { id: world.bot.id } }],
    });
    expect(client.frames.filter(({ op }) => op === 0).map(({ s }) => s)).toEqual(
      owned.map((_, index) => index + 1).concat(owned.length + 1),
    );
  });

  it('acknowledges heartbeats, asks for one, and closes a silent connection resumably', async () => {
    const { ready, resume, fault } = await gatewayFixture(stack, {
      knobs: { heartbeatIntervalMs: 60, heartbeatGraceMs: 40 },
    });
    const { client, ready: data } = await ready();
    client.send(1, client.seq);
    await client.frame(({ op }) => op === 11);
    fault({ kind: 'request_heartbeat' });
    await client.frame(({ op }) => op === 1);
    expect(await client.closed).toMatchObject({ code: 4000 });
    await (await resume(data, client.seq)).event('RESUMED');
  });

  it.each([
    ['v=9&encoding=json', 4012],
    ['v=10&encoding=etf', 4002],
    ['v=10&encoding=json&compress=zlib-stream', 4002],
  ])('refuses ?%s with %i', async (query, code) => {
    const { gateway } = await gatewayFixture(stack);
    const socket = stack.adopt(new WebSocket(`${gateway.url}/?${query}`), (one) => one.close());
    const closed = await new Promise<CloseEvent>((resolve) => {
      socket.onclose = resolve;
    });
    expect(closed.code).toBe(code);
  });

  it.each([
    [{ token: 'Bot wrong' }, 4004],
    [{ shard: [4, 4] as const }, 4010],
    [{ intents: 1 << 30 }, 4013],
  ])('closes a wrong IDENTIFY %# with its code', async (over, code) => {
    const { identify } = await gatewayFixture(stack);
    expect((await (await identify(over)).closed).code).toBe(code);
  });

  it('closes 4014 for an intent that was not granted, 4011 for too many guilds', async () => {
    const world = { guilds: 10, bot: { name: 'bot', privilegedIntents: [] } };
    const { identify } = await gatewayFixture(stack, { world, knobs: { maxGuildsPerShard: 9 } });
    expect((await (await identify({ shard: [0, 2] })).closed).code).toBe(4014);
    expect((await (await identify({ intents: 1 })).closed).code).toBe(4011);
  });

  it('survives malformed, oversized, binary and unknown frames, each closed with its code', async () => {
    const { connect, ready, record } = await gatewayFixture(stack);
    const bad: readonly (readonly [string, number])[] = [
      ['{"op":', 4002],
      ['\u0000\u0001', 4002],
      ['[]', 4002],
      ['{"op":77}', 4001],
      [JSON.stringify({ op: 1, d: 'x'.repeat(5000) }), 4002],
      ['{"op":3,"d":{}}', 4003],
      ['{"op":8,"d":{"guild_id":"123456789012345678"}}', 4003],
      ['x'.repeat(2 * 1024 * 1024), 1009],
    ];
    for (const [text, code] of bad) {
      const client = await connect();
      client.sendText(text);
      expect((await client.closed).code).toBe(code);
    }
    expect(record.query().counts.bad_frames).toBe(6);
    await ready();
  });

  it('closes a connection that never identifies', async () => {
    const { connect } = await gatewayFixture(stack, { knobs: { identifyTimeoutMs: 20 } });
    expect((await (await connect()).closed).code).toBe(4009);
  });

  it('refuses connections past its bound', async () => {
    const { connect } = await gatewayFixture(stack, { knobs: { maxConnections: 1 } });
    await connect();
    expect(await (await connect()).closed).toMatchObject({ code: 4000 });
  });
});

describe('events', () => {
  it('go to the shard of the guild under every shard count, direct messages to shard 0', async () => {
    const { ready, say, world } = await gatewayFixture(stack);
    const { client: zeroOfTwo } = await ready({ shard: [0, 2] });
    const { client: oneOfTwo } = await ready({ shard: [1, 2] });
    const { client: whole } = await ready({ shard: [0, 1] });
    const second = [...world.guildIds()].find((id) => shardOf(id, 2) === 1) ?? '';
    expect(say('guild', { guildId: second })).toBe(2);
    expect(say('direct', { guildId: null })).toBe(2);
    for (const client of [oneOfTwo, zeroOfTwo, whole]) await client.event('MESSAGE_CREATE');
    await whole.eventCount('MESSAGE_CREATE', 2);
    expect([heard(zeroOfTwo), heard(oneOfTwo), heard(whole)]).toEqual([
      ['direct'],
      ['guild'],
      ['guild', 'direct'],
    ]);
    expect(say('to nobody', { guildId: '999999999999999999' })).toBe(2);
  });

  it('keep to the intents, and hide content session by session [F1]', async () => {
    const { ready, say, world } = await gatewayFixture(stack);
    const { client: blind } = await ready({
      shard: [0, 1],
      intents: intentBits.GUILD_MESSAGES | intentBits.DIRECT_MESSAGES,
    });
    const { client: deaf } = await ready({ shard: [0, 1], intents: intentBits.GUILDS });
    expect(say('hidden')).toBe(1);
    say('for you', { mentions: [{ id: world.bot.id }] });
    say('direct', { guildId: null });
    await blind.eventCount('MESSAGE_CREATE', 3);
    expect(heard(blind)).toEqual(['', 'for you', 'direct']);
    expect(deaf.events).not.toContain('MESSAGE_CREATE');
    expect(blind.events).not.toContain('GUILD_CREATE');
  });

  it('answers a request for members: found, missing, in chunks, and once in 30 s the whole list', async () => {
    const { ready, world } = await gatewayFixture(stack, {
      world: { people: 3000, membersPerGuild: 2500 },
    });
    const { client, ready: data } = await ready();
    const guildId = data.guilds[0]?.id ?? '';
    const member = [...(world.guild(guildId)?.members() ?? [])][1]?.user.id ?? '';
    client.send(8, {
      guild_id: guildId,
      user_ids: [member, '111111111111111111'],
      limit: 0,
      nonce: 'n',
    });
    expect((await client.event('GUILD_MEMBERS_CHUNK')).d).toMatchObject({
      nonce: 'n',
      members: [{ user: { id: member } }],
      not_found: ['111111111111111111'],
      chunk_count: 1,
    });
    client.send(8, { guild_id: guildId, query: '', limit: 0 });
    const last = await client.frame(({ d }) => (d as { chunk_index?: number })?.chunk_index === 2);
    expect(last.d).toMatchObject({ chunk_count: 3 });
    client.send(8, { guild_id: guildId, query: '', limit: 0 });
    expect((await client.event('RATE_LIMITED')).d).toMatchObject({
      opcode: 8,
      meta: { guild_id: guildId },
    });
  });
});

describe('resuming [G2]', () => {
  it('replays what was missed, in order, then RESUMED, then goes on', async () => {
    const { ready, resume, say, record } = await gatewayFixture(stack);
    const { client, ready: data } = await ready({ shard: [0, 1] });
    say('one');
    await client.event('MESSAGE_CREATE');
    client.terminate();
    await client.closed;
    for (const text of ['two', 'three', 'four']) expect(say(text)).toBe(1);
    const next = await resume(data, client.seq);
    await next.event('RESUMED');
    expect(heard(next)).toEqual(['two', 'three', 'four']);
    expect(next.events.at(-1)).toBe('RESUMED');
    say('five');
    await next.eventCount('MESSAGE_CREATE', 4);
    expect(next.frames.filter(({ op }) => op === 0).map(({ s }) => s)).toEqual(
      [1, 2, 3, 4, 5].map((step) => client.seq + step),
    );
    expect(record.query().counts).toMatchObject({ resumes: 1, replayed_events: 3, identifies: 1 });
    expect(record.query().violations).toEqual([]);
  });

  it('hands a session over: the connection that had it is closed', async () => {
    const { ready, resume, say } = await gatewayFixture(stack);
    const { client, ready: data } = await ready({ shard: [0, 1] });
    const next = await resume(data, client.seq);
    await next.event('RESUMED');
    expect((await client.closed).code).toBe(4000);
    expect(say('once')).toBe(1);
    await next.event('MESSAGE_CREATE');
  });

  it('answers op 9 false for an unknown, ended, expired or overrun session, 4007 for a bad seq', async () => {
    const { ready, resume, say, gateway, knobs } = await gatewayFixture(stack, {
      knobs: { replayBufferEvents: 12, permitClose1000: true },
    });
    const refused = async (session: Parameters<typeof resume>[0], seq: number) => {
      const client = await resume(session, seq);
      const { d } = await client.frame(({ op }) => op === 9);
      client.close(4200);
      await client.closed;
      return d;
    };
    const { client: first, ready: a } = await ready({ shard: [0, 1] });
    expect(await refused({ ...a, session_id: 'nobody' }, 1)).toBe(false);
    first.close(1000);
    await first.closed;
    expect(await refused(a, first.seq)).toBe(false);

    const { client: second, ready: b } = await ready({ shard: [0, 1] });
    expect((await (await resume(b, second.seq + 1)).closed).code).toBe(4007);
    expect((await second.closed).code).toBe(4000);

    const { client: third, ready: c } = await ready({ shard: [0, 1] });
    third.close(4200);
    await third.closed;
    for (let said = 0; said < 13; said++) say('more than the buffer holds');
    expect(await refused(c, third.seq)).toBe(false);

    knobs.set({ resumeWindowMs: 1 });
    const { client: fourth, ready: d } = await ready({ shard: [0, 1] });
    fourth.terminate();
    await vi.waitUntil(() => gateway.sessions().length === 0);
    expect(await refused(d, fourth.seq)).toBe(false);
  });
});

describe('session starts', () => {
  it('are reported, spent by IDENTIFY only, and at their end reset the token', async () => {
    const { ready, identify, gateway } = await gatewayFixture(stack, {
      world: { sessionStarts: 2 },
    });
    expect(gateway.gatewayBot()).toMatchObject({
      url: gateway.url,
      shards: 4,
      session_start_limit: { total: 2, remaining: 2, reset_after: 86_400_000, max_concurrency: 16 },
    });
    const { client } = await ready({ shard: [0, 2] });
    await ready({ shard: [1, 2] });
    expect(gateway.gatewayBot().session_start_limit.remaining).toBe(0);
    const late = await identify({ shard: [0, 2] });
    expect((await late.closed).code).toBe(4004);
    expect((await client.closed).code).toBe(4004);
    expect(gateway.botTokenRevoked()).toBe(true);
    expect(gateway.sessions()).toEqual([]);
    gateway.refillSessionStarts();
    await ready({ shard: [0, 2] });
  });
});
