import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createMemoryBuckets } from '@starling/buckets';
import { systemClock } from '@starling/clock';
import {
  balancerHeartbeatContract,
  balancerId,
  encode,
  headerNames,
  subjects,
} from '@starling/contracts';
import { describe, expect, it } from 'vitest';
import { type HomeStep, homeAnswer } from '../../src/ingress/testing.ts';
import { eventsOf, IngressBench, testKey, until } from './ingress-bench.ts';

const endless: readonly HomeStep[] = [];

/** A connection of its own; gives what came so far. */
async function dial(bench: IngressBench): Promise<{ socket: Socket; text(): string }> {
  const socket = connect(bench.ingress.port, '127.0.0.1');
  let text = '';
  socket.on('data', (data) => {
    text += data;
  });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return { socket, text: () => text };
}

/** A request for a completion as bytes. */
function chatBytes(changes: object = {}): string {
  const body = JSON.stringify({
    model: 'm',
    messages: [{ role: 'user', content: 'Hi' }],
    ...changes,
  });
  return [
    'POST /v1/chat/completions HTTP/1.1',
    'host: 127.0.0.1',
    `authorization: Bearer ${testKey}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}

async function errorOf(
  response: Response,
): Promise<{ status: number; code: string; message: string }> {
  const { error } = (await response.json()) as { error: { code: string; message: string } };
  return { status: response.status, ...error };
}

describe('the front door', () => {
  it('streams events that end with [DONE], each with a correlation id', async () => {
    await using bench = await IngressBench.start();
    await bench.home({ script: () => homeAnswer('Hel', 'lo') });
    const response = await bench.chat({ stream: true });
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(response.headers.get('x-correlation-id')).toMatch(/^[0-9a-f]{8}$/);
    const events = eventsOf(await response.text());
    expect(events).toHaveLength(5);
    expect(events.at(-1)).toBe('[DONE]');
    expect(
      events.slice(0, -1).every((event) => (event as object) && !('usage' in (event as object))),
    ).toBe(true);
  });

  it('begins a trace of its own, linked to that of the caller [A1]', async () => {
    await using bench = await IngressBench.start();
    const home = await bench.home({
      script: () => [{ kind: 'wait', ms: 10 }, ...homeAnswer('Hi')],
    });
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const response = await bench.chat({}, { headers: { traceparent } });
    await response.text();
    await until(() => bench.telemetry.spans.some(({ name }) => name === 'request'));
    const span = bench.telemetry.spans.find(({ name }) => name === 'request');
    const traceId = span?.spanContext().traceId;
    expect(traceId).not.toBe('0af7651916cd43dd8448eb211c80319c');
    expect(span?.links.map(({ context }) => context.traceId)).toEqual([
      '0af7651916cd43dd8448eb211c80319c',
    ]);
    expect(response.headers.get('x-correlation-id')).toBe(traceId?.slice(0, 8));
    expect(home.submissions[0]?.headers[headerNames.traceparent]).toContain(traceId);
    expect(span?.attributes).toMatchObject({
      'starling.request.caller': 'tests',
      'http.response.status_code': 200,
      'starling.queue.position': 0,
    });
  });

  it('tells a caller its place in line, whole and streamed, and when to come back [B6] [B7]', async () => {
    await using bench = await IngressBench.start();
    const place = { position: 999, waitMs: 1_500 };
    const busy = { kind: 'refused', code: 'too_busy', retryAfterMs: 1_500, place } as const;
    const home = await bench.home({
      slots: 1,
      script: ({ job }) => (job.maxCompletionTokens === 6 ? endless : homeAnswer('Hi')),
      refuse: ({ job }) => (job.maxCompletionTokens === 7 ? busy : undefined),
    });
    const placeOf = ({ headers }: Response) =>
      ['queue-position', 'expected-wait-ms'].map((name) => headers.get(`x-starling-${name}`));
    const leaving = new AbortController();
    const { signal } = leaving;
    const holding = bench.chat({ max_completion_tokens: 6 }, { signal }).catch(() => {});
    await until(() => home.running === 1);
    const whole = bench.chat();
    await until(() => home.waiting === 1);
    const streamed = bench.chat({ stream: true });
    await until(() => home.waiting === 2);
    leaving.abort();
    const responses = await Promise.all([whole, streamed]);
    expect(responses.map(placeOf)).toEqual([
      ['1', '100'],
      ['2', '200'],
    ]);
    await Promise.all([holding, ...responses.map((response) => response.text())]);
    const refused = await bench.chat({ max_completion_tokens: 7 });
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('2');
    expect(placeOf(refused)).toEqual(['999', '1500']);
    await refused.text();
  });

  it('shares a call only where a header asks for it, and knows no half of it [A8]', async () => {
    await using bench = await IngressBench.start();
    const home = await bench.home();
    const header = 'x-starling-coalesce';
    for (const wish of ['true', 'true', 'false']) {
      expect((await bench.chat({}, { headers: { [header]: wish } })).status).toBe(200);
    }
    await bench.chat();
    const keys = home.submissions.map(({ submit }) => submit.job.callKey);
    expect(keys).toEqual([keys[0], keys[0], undefined, undefined]);
    expect(keys[0]).toMatch(/^[\w-]{22}$/);
    const wrong = await bench.chat({}, { headers: { [header]: 'yes' } });
    expect(wrong.status).toBe(400);
    expect(await wrong.json()).toMatchObject({ error: { code: 'invalid_value', param: header } });
  });

  it('says whether it lives and whether it should be asked', async () => {
    await using bench = await IngressBench.start();
    expect((await bench.fetch('/healthz')).status).toBe(200);
    const unready = await bench.fetch('/readyz');
    expect([unready.status, await unready.text()]).toEqual([503, 'no balancer is heard\n']);
    await bench.home();
    expect((await bench.fetch('/readyz')).status).toBe(200);
  });

  it('counts requests, refusals and first texts, and shows them', async () => {
    await using bench = await IngressBench.start();
    await bench.home();
    await (await bench.chat({ stream: true })).text();
    await (await bench.chat({ temperature: 9 })).text();
    const page = async () => await (await fetch(`${bench.url}/metrics`)).text();
    await until(() => bench.ingress.snapshot().inFlight === 0);
    const text = await page();
    expect(text).toContain('starling_ingress_requests_total{route="chat",status="200"} 1');
    expect(text).toContain('starling_ingress_requests_total{route="chat",status="400"} 1');
    expect(text).toContain('starling_ingress_refusals_total{code="invalid_value"} 1');
    expect(text).toContain('starling_ingress_first_token_milliseconds_count 1');
    expect(text).toContain('starling_ingress_in_flight 0');
    const metrics = await bench.telemetry.metrics();
    expect(metrics.map(({ name }) => name)).toContain('starling.ingress.requests');
  });

  it('shows how many workers the fleet wants, for who scales them [B9]', async () => {
    await using bench = await IngressBench.start();
    const page = async () => await (await fetch(`${bench.url}/metrics`)).text();
    expect(await page()).not.toContain('starling_fleet_');
    const load = { workers: 2, slots: 16, inFlight: 16, waiting: 9, waitMs: 4_000 };
    const scaling = { ...load, wantedSlots: 32, wantedWorkers: 4, reason: 'backlog' } as const;
    const beat = { balancerId: balancerId.parse('b0'), epoch: 1, draining: false, scaling };
    bench.bus.messaging.publish(
      subjects.balancerHeartbeat,
      encode(balancerHeartbeatContract, beat),
    );
    await until(() => bench.ingress.snapshot().balancers === 1);
    const text = await page();
    expect(text).toContain('# TYPE starling_fleet_wanted_workers gauge');
    expect(text).toContain('starling_fleet_wanted_workers 4\n');
    expect(text).toContain('starling_fleet_waiting 9\n');
  });

  it.each([
    ['an unknown path', '/v1/responses', {}, 404, 'unknown_url'],
    ['a path of an object', '/constructor', {}, 404, 'unknown_url'],
    ['a wrong method', '/v1/chat/completions', {}, 405, 'method_not_allowed'],
    ['no key', '/v1/models', { headers: { authorization: '' } }, 401, 'invalid_api_key'],
    [
      'a wrong key',
      '/v1/models',
      { headers: { authorization: 'Bearer x' } },
      401,
      'invalid_api_key',
    ],
    ['a model that nobody serves', '/v1/models/a%2Fb', {}, 404, 'model_not_found'],
    ['a model that is no text', '/v1/models/%zz', {}, 404, 'model_not_found'],
    [
      'another content type',
      '/v1/chat/completions',
      { body: '{}', headers: { 'content-type': 'text/plain' } },
      415,
      'unsupported_media_type',
    ],
    [
      'a packed body',
      '/v1/chat/completions',
      { body: '{}', headers: { 'content-encoding': 'gzip' } },
      415,
      'unsupported_media_type',
    ],
    ['a body that is no JSON', '/v1/chat/completions', { body: '{' }, 400, 'invalid_json'],
  ])('refuses %s in the shape of OpenAI', async (_what, path, options, status, code) => {
    await using bench = await IngressBench.start();
    await bench.home({ models: ['m'] });
    const response = await bench.fetch(path, options);
    expect(response.headers.get('x-correlation-id')).toMatch(/^[0-9a-f]{8}$/);
    expect(response.headers.get('x-should-retry')).toBe('false');
    expect(await errorOf(response)).toMatchObject({ status, code, type: expect.any(String) });
  });

  it('knows no body over 1 MiB, declared or not, and stays usable [B7]', async () => {
    await using bench = await IngressBench.start();
    const home = await bench.home();
    const large = JSON.stringify({ padding: 'x'.repeat(1024 * 1024) });
    const declared = await bench.fetch('/v1/chat/completions', { body: large });
    expect(await errorOf(declared)).toMatchObject({ status: 413, code: 'body_too_large' });
    const { socket, text } = await dial(bench);
    const head = chatBytes().replace(/content-length.*/s, 'transfer-encoding: chunked\r\n\r\n');
    socket.write(head);
    const chunk = 'x'.repeat(0x10000);
    for (let sent = 0; sent <= 16; sent += 1) socket.write(`10000\r\n${chunk}\r\n`);
    socket.write('0\r\n\r\n');
    await until(() => text().includes('body_too_large'));
    socket.write(chatBytes());
    await until(() => text().includes('Hello world'));
    socket.destroy();
    expect(home.submissions).toHaveLength(1);
  });

  it('takes a body however its bytes are cut, and only UTF-8', async () => {
    await using bench = await IngressBench.start();
    const home = await bench.home();
    const { socket, text } = await dial(bench);
    const bytes = Buffer.from(chatBytes({ messages: [{ role: 'user', content: 'Grüße 🐦' }] }));
    for (const byte of bytes.subarray(0, -30)) socket.write(Buffer.of(byte));
    socket.write(bytes.subarray(-30));
    await until(() => text().includes('Hello world'));
    expect(home.submissions[0]?.submit.job.messages[0]?.content).toBe('Grüße 🐦');
    const broken = Buffer.from(chatBytes({ messages: [{ role: 'user', content: '??' }] }));
    broken.fill(0xff, broken.indexOf('??'), broken.indexOf('??') + 2);
    socket.write(broken);
    await until(() => text().includes('not UTF-8'));
    socket.destroy();
  });

  it('answers what is no request in the same shape, and hangs up', async () => {
    await using bench = await IngressBench.start();
    for (const [bytes, line] of [
      ['nonsense\r\n\r\n', 'HTTP/1.1 400'],
      [`GET / HTTP/1.1\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`, 'HTTP/1.1 431'],
    ] as const) {
      const { socket, text } = await dial(bench);
      socket.write(bytes);
      await once(socket, 'close');
      expect(text()).toContain(line);
      expect(JSON.parse(text().split('\r\n\r\n')[1] ?? '')).toMatchObject({
        error: { code: 'unreadable_request' },
      });
    }
  });

  it('hangs up on a head and a body that do not come [B7]', async () => {
    await using bench = await IngressBench.start({
      config: { headerTimeoutMs: 100, bodyTimeoutMs: 300 },
    });
    const [head, body] = await Promise.all([dial(bench), dial(bench)]);
    head.socket.write('POST /v1/chat/completions HTTP/1.1\r\nhost: 127');
    body.socket.write(chatBytes().slice(0, -5));
    await Promise.all([once(head.socket, 'close'), once(body.socket, 'close')]);
    expect(head.text()).toContain('HTTP/1.1 408');
    await until(() => bench.ingress.snapshot().inFlight === 0);
  });

  it('closes idle connections, and those beyond its bound at once', async () => {
    await using bench = await IngressBench.start({
      config: { keepAliveMs: 100, maxConnections: 2 },
    });
    await bench.home();
    const [first, second] = await Promise.all([dial(bench), dial(bench)]);
    const third = await dial(bench);
    await once(third.socket, 'close');
    for (const { socket } of [first, second]) socket.write(chatBytes());
    await Promise.all([once(first.socket, 'close'), once(second.socket, 'close')]);
    expect(first.text()).toContain('Hello world');
  });

  it('bounds what one key and all keys have in hand, and says when to come back [B7]', async () => {
    await using bench = await IngressBench.start({
      config: { maxInFlight: 3, maxInFlightPerKey: 2 },
    });
    const home = await bench.home({ script: () => endless });
    const abort = new AbortController();
    const held = [1, 2].map(() => bench.chat({}, { signal: abort.signal }).catch(() => undefined));
    await until(() => home.running === 2);
    const refused = await bench.chat();
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(refused.headers.get('retry-after-ms')).toBe('1000');
    expect(refused.headers.get('x-should-retry')).toBe('true');
    const problem = await errorOf(refused);
    expect(problem).toMatchObject({ status: 429, code: 'too_many_in_flight' });
    expect(problem.message).toContain('of this API key');
    abort.abort();
    await Promise.all(held);
    await until(() => home.running === 0);
    const again = bench.chat();
    await until(() => home.running === 1);
    await bench.ingress[Symbol.asyncDispose]();
    expect((await again.catch(() => undefined))?.status ?? 503).toBe(503);
  });

  it('lets a key ask so often a minute, and says when again; what is wrong counts nothing [D1] [D5]', async () => {
    await using bench = await IngressBench.start({
      config: { requestsPerMinutePerKey: 2 },
      buckets: createMemoryBuckets({ clock: systemClock }),
    });
    await bench.home();
    expect((await bench.chat({ messages: 'none' })).status).toBe(400);
    for (let n = 0; n < 2; n += 1) expect((await bench.chat()).status).toBe(200);
    const refused = await bench.chat();
    const afterMs = Number(refused.headers.get('retry-after-ms'));
    expect(afterMs).toBeGreaterThan(55_000);
    expect(afterMs).toBeLessThanOrEqual(60_250);
    expect(refused.headers.get('x-correlation-id')).toMatch(/^[0-9a-f]{8}$/);
    expect(await errorOf(refused)).toMatchObject({ status: 429, code: 'rate_limit_exceeded' });
  });

  it('without keys listens on loopback only, says so, and serves no page of a browser', async () => {
    await using bench = await IngressBench.start({ keys: '', config: { host: '0.0.0.0' } });
    await bench.home();
    expect(bench.ingress.host).toBe('127.0.0.1');
    expect(bench.telemetry.lines).toContainEqual(
      expect.objectContaining({ event: 'ingress.no_api_keys' }),
    );
    expect((await bench.chat({}, { headers: { authorization: '' } })).status).toBe(200);
    const { socket, text } = await dial(bench);
    socket.write(chatBytes().replace('host: 127.0.0.1', 'host: evil.example'));
    await until(() => text().includes('host_not_allowed'));
    socket.destroy();
  });
});

describe('a caller of the front door', () => {
  it('that disconnects has its job cancelled at once, before and while it streams [A10]', async () => {
    await using bench = await IngressBench.start();
    const home = await bench.home({
      script: ({ job }) => (job.origin.stream ? [{ kind: 'text', text: 'Once' }] : endless),
    });
    for (const stream of [true, false]) {
      const { socket, text } = await dial(bench);
      const before = home.cancels.length;
      socket.write(chatBytes({ stream }));
      await until(() => home.running === 1 && (!stream || text().includes('Once')));
      socket.destroy();
      await until(() => home.running === 0);
      expect(home.cancels).toHaveLength(before + 1);
    }
    await until(() => bench.ingress.snapshot().inFlight === 0);
    const text = await (await fetch(`${bench.url}/metrics`)).text();
    expect(text).toContain('starling_ingress_disconnects_total{why="disconnected"} 2');
  });

  it('that only half closes, or leaves in its body, is gone too', async () => {
    await using bench = await IngressBench.start();
    const home = await bench.home({ script: () => endless });
    const half = await dial(bench);
    half.socket.write(chatBytes());
    await until(() => home.running === 1);
    half.socket.end();
    await until(() => home.cancels.length === 1);
    const early = await dial(bench);
    early.socket.write(chatBytes().slice(0, -5));
    await until(() => bench.ingress.snapshot().inFlight === 1);
    early.socket.destroy();
    await until(() => bench.ingress.snapshot().inFlight === 0);
    expect(home.submissions).toHaveLength(1);
  });

  it('that does not read is cut off at its bound, and its job cancelled [B7]', async () => {
    await using bench = await IngressBench.start();
    const text = 'x'.repeat(8 * 1024);
    // 40 MB: more than the system's own buffers take.
    const flood = Array.from({ length: 5_000 }, () => ({ kind: 'text' as const, text }));
    const pauses: readonly HomeStep[] = flood.flatMap((step) => [step, { kind: 'wait', ms: 0 }]);
    const home = await bench.home({ script: () => pauses });
    const { socket } = await dial(bench);
    socket.pause();
    socket.write(chatBytes({ stream: true }));
    await until(() => home.cancels.length === 1);
    await until(() => bench.ingress.snapshot().inFlight === 0);
    socket.destroy();
    const page = await (await fetch(`${bench.url}/metrics`)).text();
    expect(page).toContain('starling_ingress_disconnects_total{why="slow_reader"} 1');
  });

  it('that stops reading the end of its answer does not keep its place for ever', async () => {
    await using bench = await IngressBench.start({ config: { readerStallMs: 300 } });
    const text = 'x'.repeat(400 * 1024);
    await bench.home({ script: () => homeAnswer(text) });
    const sockets = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const { socket } = await dial(bench);
        socket.pause();
        // Twenty answers on one connection: more than the system's buffers take.
        for (let count = 0; count < 20; count += 1) socket.write(chatBytes());
        return socket;
      }),
    );
    await until(() => bench.ingress.snapshot().inFlight > 0);
    await until(() => bench.ingress.snapshot().inFlight === 0);
    for (const socket of sockets) socket.destroy();
  });
});

describe('an ingress that drains', () => {
  it('finishes what it has, takes nothing new, and lets connections go', async () => {
    await using bench = await IngressBench.start();
    const home = await bench.home({
      script: () => [
        { kind: 'text', text: 'Once' },
        { kind: 'wait', ms: 300 },
        ...homeAnswer(' more'),
      ],
    });
    const kept = await dial(bench);
    kept.socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n');
    await until(() => kept.text().includes('ok\n'));
    const [stream, whole] = [await dial(bench), await dial(bench)];
    stream.socket.write(chatBytes({ stream: true }));
    whole.socket.write(chatBytes());
    await until(() => home.running === 2 && stream.text().includes('Once'));
    const draining = bench.ingress.drain({ signal: new AbortController().signal });
    await once(kept.socket, 'close');
    await expect(bench.fetch('/readyz')).rejects.toThrow();
    await draining;
    await until(() => stream.text().includes('[DONE]') && whole.text().includes('Once more'));
    expect(stream.text()).toContain(' more');
    expect(whole.text()).toMatch(/connection: close/i);
    expect(bench.ingress.snapshot()).toEqual({ inFlight: 0, balancers: 1, draining: true });
    expect(home.cancels).toEqual([]);
  });

  it('refuses what still comes on an open connection, to be asked elsewhere', async () => {
    await using bench = await IngressBench.start();
    const home = await bench.home({
      script: () => [{ kind: 'text', text: 'Once' }, { kind: 'wait', ms: 300 }, { kind: 'done' }],
    });
    const { socket, text } = await dial(bench);
    socket.write(chatBytes({ stream: true }));
    await until(() => text().includes('Once'));
    const draining = bench.ingress.drain({ signal: new AbortController().signal });
    socket.write(chatBytes());
    await draining;
    await until(() => text().includes('shutting_down'));
    expect(text()).toContain('[DONE]');
    expect(text()).toContain('retry-after-ms: 100');
    expect(home.submissions).toHaveLength(1);
    socket.destroy();
  });

  it('breaks off honestly what does not end by its deadline, and cancels it', async () => {
    await using bench = await IngressBench.start();
    const home = await bench.home({ script: () => [{ kind: 'text', text: 'Once' }] });
    const [stream, whole] = [await dial(bench), await dial(bench)];
    stream.socket.write(chatBytes({ stream: true }));
    whole.socket.write(chatBytes());
    await until(() => home.running === 2 && stream.text().includes('Once'));
    await bench.ingress.drain({ signal: AbortSignal.abort() });
    await bench.ingress[Symbol.asyncDispose]();
    await until(() => home.cancels.length === 2 && stream.socket.closed && whole.socket.closed);
    expect(stream.text()).toContain('"code":"shutting_down"');
    expect(whole.text()).toContain('HTTP/1.1 503');
    await bench.ingress[Symbol.asyncDispose]();
  });
});
