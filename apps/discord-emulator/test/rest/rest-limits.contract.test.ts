import { SimulatedClock } from '@starling/clock';
import { describe, expect, it } from 'vitest';
import { type Composition, type CompositionOptions, compose } from './composition.ts';

async function composed(options: CompositionOptions) {
  const emulator = await compose(options);
  const [guildId = ''] = emulator.world.guildIds();
  const channelId = emulator.world.guild(guildId)?.channels()[0]?.id ?? '';
  const path = `/channels/${channelId}/messages`;
  const send = (content = 'x') => emulator.api('POST', path, { content });
  return { emulator, channelId, path, send };
}

const created = (emulator: Composition) => emulator.record.query().counts.messages_created ?? 0;

describe('limits over HTTP', () => {
  it('answers 429 with the scope, the exact time and the headers, and convicts the bot', async () => {
    const clock = new SimulatedClock();
    const { emulator, send } = await composed({
      clock,
      knobs: { messagesPerChannel: { limit: 2 } },
    });
    await using _ = emulator;
    await send();
    await clock.advance(1000);
    expect((await send()).headers.get('x-ratelimit-remaining')).toBe('0');
    const refused = await send();
    expect(refused).toMatchObject({ status: 429, body: { retry_after: 4, global: false } });
    expect(refused.headers.get('retry-after')).toBe('4');
    expect(refused.headers.get('x-ratelimit-scope')).toBe('user');
    expect(refused.headers.get('x-ratelimit-bucket')).toMatch(/^[0-9a-f]{32}$/);
    await clock.advance(4000);
    expect((await send()).status).toBe(200);
    const record = emulator.record.query();
    expect(record.violationCounts).toEqual({ invalid_request: 1 });
    expect(record.counts).toMatchObject({ rest_429: 1, messages_created: 3 });
  });

  it('refuses globally without bucket headers, interactions exempt [D2]', async () => {
    const clock = new SimulatedClock();
    const { emulator, send, path } = await composed({ clock, knobs: { globalPerSecond: 3 } });
    await using _ = emulator;
    for (let sent = 0; sent < 3; sent++) await send();
    const refused = await emulator.api('GET', path);
    expect(refused).toMatchObject({ status: 429, body: { global: true, retry_after: 1 } });
    expect(refused.headers.get('x-ratelimit-global')).toBe('true');
    expect(refused.headers.has('x-ratelimit-bucket')).toBe(false);
    const webhook = await emulator.api(
      'GET',
      `/webhooks/${emulator.world.application.id}/t/messages/1`,
    );
    expect(webhook).toMatchObject({ status: 404, body: { code: 10015 } });
    await clock.advance(1000);
    expect((await send()).status).toBe(200);
  });

  it('reports an edit that the bucket refused to the record', async () => {
    const knobs = { editsPerChannel: { limit: 1 } };
    const { emulator, send, path } = await composed({ clock: new SimulatedClock(), knobs });
    await using _ = emulator;
    const { body } = await send();
    await emulator.api('PATCH', `${path}/${body.id}`, { content: 'y' });
    const refused = await emulator.api('PATCH', `${path}/${body.id}`, { content: 'z' });
    expect(refused.status).toBe(429);
    expect(emulator.record.query().violationCounts.edits_over_limit).toBe(1);
  });

  it('bans with a page of HTML after too many invalid requests, until the window is over', async () => {
    const clock = new SimulatedClock();
    const { emulator } = await composed({
      clock,
      knobs: { invalidRequests: { limit: 3, perMs: 1000 } },
    });
    await using _ = emulator;
    const anonymous = () => emulator.api('GET', '/users/@me', undefined, { authorization: '' });
    for (let tried = 0; tried < 3; tried++) expect((await anonymous()).status).toBe(401);
    const banned = await emulator.api('GET', '/users/@me');
    expect(banned.status).toBe(429);
    expect(banned.headers.get('content-type')).toContain('text/html');
    await clock.advance(1000);
    expect((await emulator.api('GET', '/users/@me')).status).toBe(200);
  });
});

describe('faults over HTTP', () => {
  it.each(['user', 'global', 'shared'] as const)(
    'answers 429 of scope %s, and blames nobody',
    async (scope) => {
      const { emulator, send } = await composed({});
      await using _ = emulator;
      emulator.faults.push({ kind: 'rate_limited', scope, retryAfterMs: 250 });
      const refused = await send();
      expect(refused).toMatchObject({
        status: 429,
        body: { retry_after: 0.25, global: scope === 'global' },
      });
      expect(refused.headers.get('x-ratelimit-scope')).toBe(scope);
      expect(emulator.rest.invalidRequests).toBe(scope === 'shared' ? 0 : 1);
      expect(emulator.record.query().violationCounts).toEqual({});
      expect(created(emulator)).toBe(0);
    },
  );

  it('fails before, or after the message was created', async () => {
    const { emulator, send } = await composed({});
    await using _ = emulator;
    emulator.faults.push({ kind: 'server_error', status: 502, when: 'before' });
    expect((await send()).status).toBe(502);
    expect(created(emulator)).toBe(0);
    emulator.faults.push({ kind: 'server_error', status: 500, when: 'after' });
    expect((await send()).status).toBe(500);
    expect(created(emulator)).toBe(1);
  });

  it('resets the connection before or after the message was created', async () => {
    const { emulator, send } = await composed({});
    await using _ = emulator;
    emulator.faults.push({ kind: 'reset', when: 'before' });
    await expect(send()).rejects.toThrow('fetch failed');
    expect(created(emulator)).toBe(0);
    emulator.faults.push({ kind: 'reset', when: 'after' });
    await expect(send()).rejects.toThrow('fetch failed');
    expect(created(emulator)).toBe(1);
  });

  it('answers with HTML, and holds a response back', async () => {
    const clock = new SimulatedClock();
    const { emulator, send } = await composed({ clock });
    await using _ = emulator;
    emulator.faults.push({ kind: 'html', status: 502 });
    const page = await send();
    expect(page).toMatchObject({ status: 502, body: expect.stringContaining('<html>') });
    emulator.faults.push({ kind: 'slow', delayMs: 5000 });
    let answered = false;
    const slow = send().then((answer) => {
      answered = true;
      return answer;
    });
    await expect.poll(() => clock.pendingTimers).toBe(1);
    expect([answered, created(emulator)]).toEqual([false, 1]);
    await clock.advance(5000);
    expect((await slow).status).toBe(200);
  });

  it('refuses a body that is too large', async () => {
    const { emulator, path } = await composed({});
    await using _ = emulator;
    const content = 'x'.repeat(25 * 1024 * 1024);
    const refused = await emulator.api('POST', path, { content });
    expect(refused).toMatchObject({ status: 413, body: { code: 40005 } });
  });
});
