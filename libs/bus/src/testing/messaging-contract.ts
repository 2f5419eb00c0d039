import { expect, it, vi } from 'vitest';
import type { BusMessage } from '../port.ts';
import { bytes, type CreateFixture, freshName, text } from './bus-fixture.ts';

/** How long a request that is expected to be answered may take. */
const timeoutMs = 10_000;

/** What arrives, where, and in which order; requests and their endings. */
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
    // A Buffer's own `slice` is no copy.
    const payload = Buffer.from('as sent');
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
}
