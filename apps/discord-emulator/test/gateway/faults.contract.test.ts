import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { gatewayFixture, heard } from './gateway-fixture.ts';
import { connectRaw } from './raw-client.ts';

let stack: AsyncDisposableStack;
beforeEach(() => {
  stack = new AsyncDisposableStack();
});
afterEach(() => stack.disposeAsync());

describe('gateway faults', () => {
  it('refuses connections for a while, with what stands reset, and comes back under the same port', async () => {
    const { ready, resume, gateway, fault, say } = await gatewayFixture(stack);
    const { client, ready: data } = await ready({ shard: [0, 1] });
    fault({ kind: 'refuse_connections', forMs: 150 });
    expect((await client.closed).code).toBe(1006);
    await expect(connectRaw(gateway.url)).rejects.toThrow('ECONNREFUSED');
    say('meanwhile');
    const next = await vi.waitUntil(() => resume(data, client.seq).catch(() => undefined));
    await next.event('RESUMED');
    expect(heard(next)).toEqual(['meanwhile']);
  });

  it('can refuse only new connections', async () => {
    const { ready, gateway, fault, say } = await gatewayFixture(stack);
    const { client } = await ready({ shard: [0, 1] });
    fault({ kind: 'refuse_connections', forMs: 10_000, dropExisting: false });
    await expect(connectRaw(gateway.url)).rejects.toThrow('ECONNREFUSED');
    say('still here');
    await client.event('MESSAGE_CREATE');
  });

  it('leaves a socket half open: silent in both directions, no end, and the session resumable', async () => {
    const { ready, resume, fault, say, record } = await gatewayFixture(stack);
    const { client, ready: data } = await ready({ shard: [0, 1] });
    expect(fault({ kind: 'half_open', where: { shards: [1] } }).hits).toBe(0);
    expect(fault({ kind: 'half_open', where: { shards: [0] } }).hits).toBe(1);
    const beats = record.query().counts.heartbeats ?? 0;
    client.send(1, client.seq);
    say('unheard');
    const next = await resume(data, client.seq);
    await next.event('RESUMED');
    expect(heard(next)).toEqual(['unheard']);
    expect(heard(client)).toEqual([]);
    expect(client.frames.some(({ op }) => op === 11)).toBe(false);
    expect(record.query().counts.heartbeats ?? 0).toBe(beats);
  });

  it('swallows so many heartbeat acknowledgements', async () => {
    const { ready, fault } = await gatewayFixture(stack);
    const { client } = await ready({ shard: [0, 1] });
    fault({ kind: 'swallow_heartbeat_acks', times: 2 });
    for (let beats = 0; beats < 3; beats++) client.send(1, null);
    await client.frame(({ op }) => op === 11);
    client.send(3, {});
    expect(client.frames.filter(({ op }) => op === 11)).toHaveLength(1);
  });

  it('asks for a reconnect and closes by itself when the client stays', async () => {
    const { ready, resume, fault } = await gatewayFixture(stack, {
      knobs: { reconnectGraceMs: 30 },
    });
    const { client, ready: data } = await ready({ shard: [0, 1] });
    fault({ kind: 'reconnect', times: 1 });
    await client.frame(({ op }) => op === 7);
    expect((await client.closed).code).toBe(4000);
    await (await resume(data, client.seq)).event('RESUMED');
  });

  it('invalidates a session, resumable or not', async () => {
    const { ready, fault, gateway, world } = await gatewayFixture(stack);
    const { client, ready: data } = await ready({ shard: [0, 1] });
    fault({ kind: 'invalid_session', resumable: true });
    await client.frame(({ op, d }) => op === 9 && d === true);
    client.send(6, { token: world.botToken, session_id: data.session_id, seq: client.seq });
    await client.event('RESUMED');
    fault({ kind: 'invalid_session', resumable: false });
    await client.frame(({ op, d }) => op === 9 && d === false);
    expect(gateway.sessions()).toEqual([]);
  });

  it('drops sockets and closes them with a code', async () => {
    const { ready, fault } = await gatewayFixture(stack);
    const { client: a } = await ready({ shard: [0, 2] });
    const { client: b } = await ready({ shard: [1, 2] });
    fault({ kind: 'drop_socket', where: { shards: [0], shardCount: 2 } });
    expect((await a.closed).code).toBe(1006);
    fault({ kind: 'close', code: 4009 });
    expect(await b.closed).toEqual({ code: 4009, reason: 'Session timed out.' });
  });

  it('sends READY late', async () => {
    const { identify, fault, gateway } = await gatewayFixture(stack);
    fault({ kind: 'slow_ready', delayMs: 60, times: 1 });
    const client = await identify({ shard: [0, 1] });
    await vi.waitUntil(() => gateway.sessions().length === 1);
    client.send(1, null);
    await client.frame(({ op }) => op === 11);
    expect(client.events).toEqual([]);
    await client.event('READY');
  });

  it('says that no session starts remain, and refuses IDENTIFY but not RESUME', async () => {
    const { ready, resume, identify, fault, gateway, rules } = await gatewayFixture(stack);
    const { client, ready: data } = await ready({ shard: [0, 1] });
    fault({ kind: 'remaining_zero' });
    expect(gateway.gatewayBot().session_start_limit.remaining).toBe(0);
    await (await identify({ shard: [0, 1] })).frame(({ op, d }) => op === 9 && d === false);
    expect(rules()).toEqual(['identify_too_early']);
    client.terminate();
    await (await resume(data, client.seq)).event('RESUMED');
  });
});

describe('the gateway’s bad bots', () => {
  it('IDENTIFY twice in one lane is convicted, in two lanes acquitted [G3]', async () => {
    const { ready, identify, rules } = await gatewayFixture(stack, {
      world: { maxConcurrency: 2 },
      knobs: { identifyIntervalMs: 5000 },
    });
    await ready({ shard: [0, 4] });
    await ready({ shard: [1, 4] });
    expect(rules()).toEqual([]);
    await (await identify({ shard: [2, 4] })).frame(({ op, d }) => op === 9 && d === false);
    expect(rules()).toEqual(['identify_too_early']);
  });

  it('two live sessions of one shard are convicted once both are given an event [G1]', async () => {
    const { ready, rules, say } = await gatewayFixture(stack);
    await ready({ shard: [0, 2] });
    await ready({ shard: [0, 1] });
    say('to both counts');
    expect(rules()).toEqual([]);
    await ready({ shard: [0, 1] });
    expect(rules()).toEqual([]);
    expect(say('twice')).toBe(3);
    say('and again');
    expect(rules()).toEqual(['two_sessions_for_a_shard']);
  });

  it('a session left behind and replaced is no second one', async () => {
    const { ready, rules, say } = await gatewayFixture(stack);
    const { client } = await ready({ shard: [0, 1] });
    client.terminate();
    await client.closed;
    await ready({ shard: [0, 1] });
    say('once');
    expect(rules()).toEqual([]);
  });

  it('a close with 1000 is convicted; with 4200, or when permitted, acquitted [G2]', async () => {
    const { ready, rules, gateway, knobs } = await gatewayFixture(stack);
    const gone = async (code: number) => {
      const { client } = await ready({ shard: [0, 1] });
      client.close(code);
      await client.closed;
      await vi.waitUntil(() => gateway.sessions().every(({ live }) => !live));
    };
    await gone(4200);
    expect(rules()).toEqual([]);
    await gone(1000);
    expect(rules()).toEqual(['closed_with_1000']);
    knobs.set({ permitClose1000: true });
    await gone(1001);
    expect(rules()).toEqual(['closed_with_1000']);
  });

  it('the 121st send of a minute is convicted and closed 4008', async () => {
    const { ready, rules } = await gatewayFixture(stack);
    const { client } = await ready({ shard: [0, 1] });
    for (let sends = 0; sends < 119; sends++) client.send(1, null);
    await client.frame(() => client.frames.filter(({ op }) => op === 11).length === 119);
    expect(rules()).toEqual([]);
    client.send(1, null);
    expect((await client.closed).code).toBe(4008);
    expect(rules()).toEqual(['too_many_sends']);
  });
});
