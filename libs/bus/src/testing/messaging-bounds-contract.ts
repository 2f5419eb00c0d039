import { captureTelemetry } from '@starling/telemetry/testing';
import { expect, it, vi } from 'vitest';
import { bytes, type CreateFixture, freshName, text } from './bus-fixture.ts';

/** How long a request that is expected to be answered may take. */
const timeoutMs = 10_000;

/** What happens when handlers fail or are slow, at the bounds, and at the end. */
export function messagingBoundsContract(create: CreateFixture): void {
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
