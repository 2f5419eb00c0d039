import { request } from 'node:http';
import { systemClock, systemRandom } from '@starling/clock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startDiscordEmulator } from '../../src/emulator.ts';

let stack: AsyncDisposableStack;
beforeEach(() => {
  stack = new AsyncDisposableStack();
});
afterEach(() => stack.disposeAsync());

async function control() {
  const emulator = stack.use(
    await startDiscordEmulator({ clock: systemClock, random: systemRandom, world: { guilds: 3 } }),
  );
  async function call(method: string, path: string, body?: unknown) {
    const response = await fetch(`${emulator.restUrl}/control${path}`, {
      method,
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
  }
  return { emulator, call };
}

describe('the control door', () => {
  it('switches faults on, lists and clears them, and they act', async () => {
    const { emulator, call } = await control();
    const html = { kind: 'html', status: 502, times: 1 };
    expect(await call('PUT', '/faults', [html])).toMatchObject({
      status: 200,
      body: { faults: [{ fault: html, hits: 0, active: true }] },
    });
    const answer = await fetch(`${emulator.restUrl}/api/v10/gateway`);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      502,
      expect.stringContaining('text/html'),
    ]);
    expect(await call('POST', '/faults', { kind: 'remaining_zero' })).toMatchObject({
      status: 201,
      body: { active: true },
    });
    expect((await call('GET', '/faults')).body.faults).toMatchObject([
      { hits: 1, active: false },
      { hits: 0, active: true },
    ]);
    expect(emulator.record.query().counts.faults_hit).toBe(1);
    expect(await call('PUT', '/faults', { faults: [] })).toMatchObject({ body: { faults: [] } });
    await call('POST', '/faults', { kind: 'remaining_zero' });
    expect((await call('DELETE', '/faults')).status).toBe(204);
    expect(emulator.gateway.gatewayBot().session_start_limit.remaining).toBe(1000);
  });

  it('answers bad faults with 400, each field, value and remedy, and changes nothing', async () => {
    const { call } = await control();
    await call('PUT', '/faults', [{ kind: 'html' }]);
    const bad = [{ kind: 'slow', delayMs: 'long' }, { kind: 'lsow' }];
    expect(await call('PUT', '/faults', bad)).toEqual({
      status: 400,
      body: {
        error: 'what was sent does not fit',
        problems: [
          { field: '[0].delayMs', value: 'long', remedy: 'set it to a value of type number' },
          {
            field: '[1].kind',
            value: 'lsow',
            remedy: expect.stringMatching(/^set it to one of half_open, .*, html$/),
          },
        ],
      },
    });
    expect((await call('PUT', '/faults', '{"kind":')).body.problems).toEqual([
      { field: '', value: '{"kind":', remedy: 'send JSON' },
    ]);
    expect((await call('PUT', '/faults')).status).toBe(400);
    expect((await call('GET', '/faults')).body.faults).toHaveLength(1);
  });

  it('reads and changes knobs, all or none', async () => {
    const { emulator, call } = await control();
    expect((await call('GET', '/knobs')).body).toMatchObject({
      globalPerSecond: 50,
      messagesPerChannel: { limit: 5, perMs: 5000 },
    });
    await call('PUT', '/knobs', { globalPerSecond: 500 });
    expect(emulator.knobs.current).toMatchObject({ globalPerSecond: 500, resumeWindowMs: 120_000 });
    expect(await call('PUT', '/knobs', { resumeWindowMs: 5, globalPerSecond: 0 })).toMatchObject({
      status: 400,
      body: { problems: [{ field: 'globalPerSecond', value: 0, remedy: 'set it to 1 or more' }] },
    });
    expect((await call('PUT', '/knobs', { globalPerSec: 5 })).body.problems).toMatchObject([
      { field: 'globalPerSec', value: 5 },
    ]);
    expect((await call('PUT', '/knobs', [1])).status).toBe(400);
    expect(emulator.knobs.current.resumeWindowMs).toBe(120_000);
  });

  it('shows the world, page by page', async () => {
    const { emulator, call } = await control();
    const { body } = await call('GET', '/world?from=1&count=1');
    const second = [...emulator.world.guildIds()][1];
    expect(body).toMatchObject({
      spec: { guilds: 3, maxConcurrency: 16 },
      applicationId: emulator.applicationId,
      botUserId: emulator.world.bot.id,
      guilds: [{ id: second, memberCount: 21 }],
    });
    expect(body.guilds[0].channels[2]).toMatchObject({
      name: 'announcements',
      bot: { view: true, send: false },
    });
    expect((await call('GET', '/world?count=9999')).status).toBe(400);
    expect(JSON.stringify(body)).not.toContain(emulator.botToken);
  });

  it('reads and resets the record', async () => {
    const { emulator, call } = await control();
    const at = { channelId: 'c', userId: 'u', atMs: 0, owners: 1 };
    emulator.record.addressed({ kind: 'message', id: '1', ...at });
    expect((await call('GET', '/record')).body).toMatchObject({
      violations: [{ rule: 'unanswered' }],
      lost: 1,
    });
    const patient = await call('GET', `/record?answerDueMs=9000000000000`);
    expect(patient.body).toMatchObject({ violations: [], owed: [{ id: '1' }] });
    expect((await call('GET', '/record?answerDueMs=soon')).status).toBe(400);
    expect((await call('DELETE', '/record')).status).toBe(204);
    expect((await call('GET', '/record')).body.violations).toEqual([]);
  });

  it('lists sessions and refills their starts', async () => {
    const { call } = await control();
    expect((await call('GET', '/sessions')).body).toEqual({ sessions: [] });
    expect((await call('POST', '/sessions/refill')).status).toBe(204);
  });

  it('answers what it does not have, and survives what is no request', async () => {
    const { emulator, call } = await control();
    expect(await call('GET', '/nothing')).toMatchObject({ status: 404 });
    expect(await call('PATCH', '/knobs')).toMatchObject({
      status: 405,
      body: { methods: ['GET', 'PUT'] },
    });
    expect((await call('PUT', '/faults', 'x'.repeat(1.5 * 1024 * 1024))).status).toBe(400);
    expect((await fetch(`${emulator.restUrl}/elsewhere`)).status).toBe(404);
    const aborted = request(`${emulator.restUrl}/control/faults`, {
      method: 'PUT',
      headers: { 'content-length': '100' },
    });
    aborted.on('error', () => {});
    aborted.write('[');
    await new Promise<void>((resolve) =>
      aborted.once('socket', (tcp) => tcp.once('connect', resolve)),
    );
    aborted.destroy();
    expect((await call('GET', '/faults')).status).toBe(200);
  });
});

describe('the emulator', () => {
  it('ends once, however often it is asked, with its sockets', async () => {
    const { emulator, call } = await control();
    await call('GET', '/faults');
    await Promise.all([emulator.close(), emulator.close(), emulator[Symbol.asyncDispose]()]);
    await expect(call('GET', '/faults')).rejects.toThrow();
  });

  it('leaves nothing open when its second port is taken', async () => {
    const { emulator } = await control();
    const taken = Number(new URL(emulator.restUrl).port);
    const start = (ports: { rest: number; gateway: number }) =>
      startDiscordEmulator({ clock: systemClock, random: systemRandom, ports });
    await expect(start({ rest: taken, gateway: 0 })).rejects.toThrow('EADDRINUSE');
    await emulator.close();
    const again = stack.use(await start({ rest: taken, gateway: 0 }));
    expect(again.restUrl).toBe(emulator.restUrl);
  });
});
