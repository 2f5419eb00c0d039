import { captureTelemetry } from '@starling/telemetry/testing';
import { expect, it, vi } from 'vitest';
import type { BusMessage } from '../port.ts';
import { bytes, type CreateFixture, freshName, text } from './bus-fixture.ts';

/** How long a request that is expected to be answered may take. */
const timeoutMs = 10_000;

export function messagingContract(create: CreateFixture): void {
  it('delivers in the order of publishing, one handler at a time', async () => {
    await using fixture = await create();
    const { messaging } = fixture.bus;
    const name = freshName();
    const seen: string[] = [];
    let running = 0;
    let most = 0;
    const all = Promise.withResolvers<void>();
    await messaging.subscribe(name, async (message) => {
      running += 1;
      most = Math.max(most, running);
      await Promise.resolve();
      seen.push(text(message.payload));
      running -= 1;
      if (seen.length === 200) all.resolve();
    });
    const sent = Array.from({ length: 200 }, (_, at) => String(at));
    for (const one of sent) messaging.publish(name, bytes(one));
    await all.promise;
    expect(seen).toEqual(sent);
    expect(most).toBe(1);
  });

  it('runs as many handlers at once as asked', async () => {
    await using fixture = await create();
    const { messaging } = fixture.bus;
    const name = freshName();
    const release = Promise.withResolvers<void>();
    const three = Promise.withResolvers<void>();
    let running = 0;
    await messaging.subscribe(
      name,
      async () => {
        running += 1;
        if (running === 3) three.resolve();
        await release.promise;
      },
      { concurrency: 3 },
    );
    for (let at = 0; at < 5; at += 1) messaging.publish(name, bytes(''));
    await three.promise;
    expect(running).toBe(3);
    release.resolve();
    await vi.waitFor(() => expect(running).toBe(5));
  });

  it('matches wildcards by token', async () => {
    await using fixture = await create();
    const { messaging } = fixture.bus;
    const name = freshName();
    const seen: string[] = [];
    const done = Promise.withResolvers<void>();
    const note = (pattern: string) => (message: BusMessage) => {
      seen.push(`${pattern} ${message.subject.slice(name.length + 1)}`);
    };
    await messaging.subscribe(`${name}.*.x`, note('*.x'));
    await messaging.subscribe(`${name}.a.>`, note('a.>'));
    await messaging.subscribe(`${name}.end`, () => done.resolve());
    for (const subject of ['a.x', 'b.x', 'a', 'a.b.c', 'a.x.y', 'end']) {
      messaging.publish(`${name}.${subject}`, bytes(''));
    }
    await done.promise;
    await vi.waitFor(() => expect(seen).toHaveLength(5));
    expect(seen.sort()).toEqual(['*.x a.x', '*.x b.x', 'a.> a.b.c', 'a.> a.x', 'a.> a.x.y']);
  });

  it('never runs a handler inside publish, and copies what it was given', async () => {
    await using fixture = await create();
    const { messaging } = fixture.bus;
    const name = freshName();
    const arrived = Promise.withResolvers<BusMessage>();
    let inside = false;
    let reentered = false;
    await messaging.subscribe(name, (message) => {
      reentered = inside;
      arrived.resolve(message);
    });
    const payload = bytes('as sent');
    inside = true;
    messaging.publish(name, payload, { headers: { 'starling-lane': ' dm ', empty: '' } });
    inside = false;
    payload.fill(0);
    const message = await arrived.promise;
    expect(text(message.payload)).toBe('as sent');
    expect(message.headers).toEqual({ 'starling-lane': 'dm', empty: '' });
    expect(reentered).toBe(false);
  });

  it('gives a message to one member of each queue group, and shares them out', async () => {
    await using fixture = await create();
    const { messaging } = fixture.bus;
    const name = freshName();
    const counts = { a1: 0, a2: 0, b: 0, plain: 0 };
    const count = (key: keyof typeof counts) => () => {
      counts[key] += 1;
    };
    await messaging.subscribe(name, count('a1'), { queueGroup: 'a' });
    await messaging.subscribe(name, count('a2'), { queueGroup: 'a' });
    await messaging.subscribe(name, count('b'), { queueGroup: 'b' });
    await messaging.subscribe(name, count('plain'));
    for (let at = 0; at < 100; at += 1) messaging.publish(name, bytes(''));
    await vi.waitFor(() =>
      expect({ a: counts.a1 + counts.a2, b: counts.b, plain: counts.plain }).toEqual({
        a: 100,
        b: 100,
        plain: 100,
      }),
    );
    expect(counts.a1).toBeGreaterThan(0);
    expect(counts.a2).toBeGreaterThan(0);
  });

  it('answers a request, across connections, with headers', async () => {
    await using fixture = await create();
    const other = await fixture.another();
    const name = freshName();
    await other.messaging.subscribe(name, (message) => {
      message.respond(bytes(`re: ${text(message.payload)}`), { headers: message.headers });
    });
    const answer = await fixture.bus.messaging.request(name, bytes('ping'), {
      timeoutMs,
      headers: { traceparent: '00-1-2-01' },
    });
    expect(text(answer.payload)).toBe('re: ping');
    expect(answer.headers).toEqual({ traceparent: '00-1-2-01' });
  });

  it('takes the first of several answers', async () => {
    await using fixture = await create();
    const { messaging } = fixture.bus;
    const name = freshName();
    await messaging.subscribe(name, (message) => message.respond(bytes('a')));
    await messaging.subscribe(name, (message) => message.respond(bytes('a')));
    const answer = await messaging.request(name, bytes(''), { timeoutMs });
    expect(text(answer.payload)).toBe('a');
  });

  it('says at once that nobody listens', async () => {
    await using fixture = await create();
    const request = fixture.bus.messaging.request(freshName(), bytes(''), { timeoutMs: 3_600_000 });
    await expect(request).rejects.toMatchObject({ code: 'no_responders' });
  });

  it('times out when nobody answers', async () => {
    await using fixture = await create();
    const { messaging } = fixture.bus;
    const name = freshName();
    await messaging.subscribe(name, () => {});
    const request = messaging.request(name, bytes(''), { timeoutMs: 50 });
    const failure = expect(request).rejects.toMatchObject({ code: 'timeout' });
    await fixture.advance(50);
    await failure;
  });

  it('gives up a request when its signal fires, before and during it', async () => {
    await using fixture = await create();
    const { messaging } = fixture.bus;
    const name = freshName();
    const controller = new AbortController();
    await messaging.subscribe(name, () => controller.abort(new Error('no longer wanted')));
    const { signal } = controller;
    const options = { timeoutMs: 3_600_000, signal };
    await expect(messaging.request(name, bytes(''), options)).rejects.toThrow('no longer wanted');
    await expect(messaging.request(name, bytes(''), options)).rejects.toThrow('no longer wanted');
  });

  it('outlives a handler that throws, and counts it', async () => {
    await using telemetry = captureTelemetry();
    await using fixture = await create();
    const { messaging } = fixture.bus;
    const name = freshName();
    const seen: string[] = [];
    await messaging.subscribe(name, (message) => {
      seen.push(text(message.payload));
      if (seen.length === 1) throw new Error('broken');
      if (seen.length === 2) return Promise.reject(new Error('broken later'));
      return undefined;
    });
    for (const one of ['1', '2', '3']) messaging.publish(name, bytes(one));
    await vi.waitFor(() => expect(seen).toEqual(['1', '2', '3']));
    const failures = (await telemetry.metrics()).find(
      (metric) => metric.name === 'starling.bus.handler_failures',
    );
    expect(failures?.value).toBe(2);
    expect(telemetry.lines.filter((line) => line.event === 'handler.failed')).toHaveLength(2);
  });

  it('drops the oldest of what waits for a slow handler, and counts it', async () => {
    await using telemetry = captureTelemetry();
    await using fixture = await create();
    const { messaging } = fixture.bus;
    const name = freshName();
    const seen: string[] = [];
    const release = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    await messaging.subscribe(
      name,
      async (message) => {
        seen.push(text(message.payload));
        if (seen.length === 1) await release.promise;
      },
      { maxPending: 3 },
    );
    await messaging.subscribe(`${name}.end`, () => ended.resolve());
    messaging.publish(name, bytes('first'));
    await vi.waitFor(() => expect(seen).toEqual(['first']));
    for (let at = 1; at <= 10; at += 1) messaging.publish(name, bytes(String(at)));
    messaging.publish(`${name}.end`, bytes(''));
    await ended.promise;
    release.resolve();
    await vi.waitFor(() => expect(seen).toEqual(['first', '8', '9', '10']));
    const dropped = (await telemetry.metrics()).find(
      (metric) => metric.name === 'starling.bus.dropped',
    );
    expect(dropped?.value).toBe(7);
    // The 1st, 2nd and 4th: of a flood only each doubling is a line.
    expect(telemetry.lines.filter((line) => line.event === 'messages.dropped')).toHaveLength(3);
  });

  it('ends a subscription after what it has taken in', async () => {
    await using fixture = await create();
    const { messaging } = fixture.bus;
    const name = freshName();
    const seen: string[] = [];
    const subscription = await messaging.subscribe(name, async (message) => {
      await Promise.resolve();
      seen.push(text(message.payload));
    });
    messaging.publish(name, bytes('1'));
    messaging.publish(name, bytes('2'));
    await subscription[Symbol.asyncDispose]();
    expect(seen).toEqual(['1', '2']);
    await expect(messaging.request(name, bytes('3'), { timeoutMs })).rejects.toMatchObject({
      code: 'no_responders',
    });
    expect(seen).toEqual(['1', '2']);
  });

  it('refuses what no server would take', async () => {
    await using fixture = await create();
    const { messaging } = fixture.bus;
    const name = freshName();
    const publish = (subject: string, size: number, headers = {}) =>
      messaging.publish(subject, new Uint8Array(size), { headers });
    expect(() => publish(name, 1_048_577)).toThrow(expect.objectContaining({ code: 'too_large' }));
    expect(() => publish(name, 1_048_576, { a: 'b' })).toThrow(
      expect.objectContaining({ code: 'too_large' }),
    );
    publish(name, 1_048_576);
    for (const subject of ['', 'a b', `${name}.*`, `${name}.>`, 'a..b']) {
      expect(() => publish(subject, 0)).toThrow(TypeError);
    }
    expect(() => publish(name, 0, { 'a:b': 'c' })).toThrow(TypeError);
    expect(() => publish(name, 0, { a: 'b\r\nc: d' })).toThrow(TypeError);
    await expect(messaging.subscribe('a b', () => {})).rejects.toThrow(TypeError);
    await expect(
      messaging.request(name, new Uint8Array(2_000_000), { timeoutMs }),
    ).rejects.toMatchObject({ code: 'too_large' });
    expect(fixture.bus.state).toBe('connected');
  });

  it('drains: handlers finish and may still publish, then all is closed; twice joins', async () => {
    await using fixture = await create();
    const observer = await fixture.another();
    const { messaging } = fixture.bus;
    const name = freshName();
    const after: string[] = [];
    const sameBus = observer === fixture.bus;
    if (!sameBus) {
      await observer.messaging.subscribe(`${name}.after`, (message) => {
        after.push(text(message.payload));
      });
    }
    let finished = false;
    const started = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    await messaging.subscribe(name, async () => {
      started.resolve();
      await release.promise;
      messaging.publish(`${name}.after`, bytes('done'));
      finished = true;
    });
    messaging.publish(name, bytes(''));
    await started.promise;
    const first = fixture.bus[Symbol.asyncDispose]();
    const second = fixture.bus[Symbol.asyncDispose]();
    await expect(messaging.subscribe(name, () => {})).rejects.toMatchObject({ code: 'closed' });
    expect(finished).toBe(false);
    release.resolve();
    await Promise.all([first, second]);
    expect(finished).toBe(true);
    expect(fixture.bus.state).toBe('closed');
    expect(() => messaging.publish(name, bytes(''))).toThrow(
      expect.objectContaining({ code: 'closed' }),
    );
    await expect(messaging.request(name, bytes(''), { timeoutMs })).rejects.toMatchObject({
      code: 'closed',
    });
    if (!sameBus) await vi.waitFor(() => expect(after).toEqual(['done']));
  });

  it('fails open requests with closed when it closes', async () => {
    await using fixture = await create();
    const other = await fixture.another();
    const name = freshName();
    await other.messaging.subscribe(name, () => {});
    const request = fixture.bus.messaging.request(name, bytes(''), { timeoutMs: 3_600_000 });
    const failure = expect(request).rejects.toMatchObject({ code: 'closed' });
    await fixture.bus[Symbol.asyncDispose]();
    await failure;
  });
}
