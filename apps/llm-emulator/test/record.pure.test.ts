import { SimulatedClock, seededRandom } from '@starling/clock';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planAnswer } from '../src/plan-answer.ts';
import { BoundedLog } from '../src/record/bounded-log.ts';
import { EmulatorRecord } from '../src/record/emulator-record.ts';
import { fullestWindow } from '../src/record/token-windows.ts';
import { modelOf, requestOf } from './build-request.ts';

describe('fullestWindow', () => {
  it('agrees with looking at every window', () => {
    const charge = fc.record({ atMs: fc.nat(500), tokens: fc.nat(100) });
    fc.assert(
      fc.property(
        fc.array(charge, { maxLength: 40 }),
        fc.integer({ min: 1, max: 200 }),
        (charges, windowMs) => {
          let tokens = 0;
          let requests = 0;
          for (const end of charges) {
            const inside = charges.filter(
              ({ atMs }) => atMs > end.atMs - windowMs && atMs <= end.atMs,
            );
            tokens = Math.max(
              tokens,
              inside.reduce((sum, each) => sum + each.tokens, 0),
            );
            requests = Math.max(requests, inside.length);
          }
          expect(fullestWindow(charges, windowMs)).toMatchObject({ tokens, requests });
        },
      ),
    );
  });
});

describe('BoundedLog', () => {
  it('keeps the last values and counts the others', () => {
    const log = new BoundedLog<number>(3);
    for (let value = 0; value < 10; value++) log.push(value);
    expect(log.values()).toEqual([7, 8, 9]);
    expect(log.dropped).toBe(7);
    log.reset((value) => value === 8);
    expect(log.values()).toEqual([8]);
    expect(log.dropped).toBe(0);
  });
});

describe('EmulatorRecord', () => {
  function recordOf(requestsMax = 100) {
    const clock = new SimulatedClock(1_000_000);
    const record = new EmulatorRecord(clock, requestsMax);
    const connection = record.connections.opened();
    const begin = (keyLabel = 'key-a') => record.begin({ path: '/p', keyLabel, connection });
    return { clock, record, connection, begin };
  }
  const planOf = (tokens: number) =>
    planAnswer(
      requestOf(`[[tokens:${tokens}]]`),
      {
        model: modelOf({ firstTokenMs: { median: 100 }, tokensPerSecond: { median: 100 } }),
        timeScale: 1,
      },
      seededRandom(1),
    );

  it('follows a request from its start to its end', async () => {
    const { clock, record, begin } = recordOf();
    const entry = begin();
    const request = requestOf('Hello [[tag:7]]');
    entry.understood(request);
    const plan = planOf(20);
    entry.accepted(plan);
    await clock.advance(30);
    entry.head(200);
    await clock.advance(70);
    entry.bytes(15);
    entry.bytes(5);
    entry.ended('complete');
    entry.ended('aborted');
    const reading = record.read();
    expect(reading.requests).toEqual([
      {
        id: 1,
        path: '/p',
        connection: 1,
        keyLabel: 'key-a',
        model: 'm',
        stream: true,
        promptHash: request.promptHash,
        tag: 7,
        startedAtMs: 1_000_000,
        status: 200,
        firstByteMs: 30,
        firstTokenMs: 100,
        endMs: 100,
        ending: 'complete',
        promptTokens: plan.usage.promptTokens,
        completionTokens: 20,
      },
    ]);
    expect(reading.counts).toMatchObject({
      requests: 1,
      byEnding: { complete: 1 },
      completionTokens: 20,
    });
    expect(reading.concurrency).toEqual({
      now: 0,
      peak: 1,
      byKey: { 'key-a': { now: 0, peak: 1 } },
    });
  });

  it('bills a whole answer that nobody waited for up to the moment of the abort', async () => {
    const { clock, record, begin } = recordOf();
    const entry = begin();
    entry.understood(requestOf('Hello', { stream: false }));
    entry.accepted(planOf(50));
    // The first token is due at 100 ms and then one every 10 ms.
    await clock.advance(155);
    entry.ended('aborted');
    expect(record.read().requests[0]).toMatchObject({ abortSeenMs: 155, completionTokens: 6 });
  });

  it('counts concurrency now, at its peak, and by key', () => {
    const { record, begin } = recordOf();
    const entries = [begin('key-a'), begin('key-a'), begin('key-b')];
    entries[0]?.ended('complete');
    expect(record.read().concurrency).toEqual({
      now: 2,
      peak: 3,
      byKey: { 'key-a': { now: 1, peak: 2 }, 'key-b': { now: 1, peak: 1 } },
    });
  });

  it('counts keys beyond its bound together', () => {
    const { record, begin } = recordOf();
    for (let key = 0; key < 1010; key++) begin(`key-${key}`);
    const { byKey } = record.read().concurrency;
    expect(Object.keys(byKey)).toHaveLength(1001);
    expect(byKey['key-other']).toEqual({ now: 10, peak: 10 });
  });

  it('judges windows at the start and at the end of requests, by key and model', async () => {
    const { clock, record, begin } = recordOf();
    for (const waitMs of [0, 40_000, 40_000]) {
      await clock.advance(waitMs);
      const entry = begin();
      entry.understood(requestOf('Hello'));
      entry.accepted(planOf(10));
      entry.bytes(10);
      await clock.advance(5_000);
      entry.ended('complete');
    }
    const each = planOf(10).usage.promptTokens + 10;
    const { windows } = record.read();
    expect(windows.byStart).toMatchObject({ tokens: 2 * each, requests: 2 });
    expect(windows.byEnd).toMatchObject({ tokens: 2 * each, tokensAtMs: 1_050_000 });
    expect(windows.byKey['key-a']?.byStart.tokens).toBe(2 * each);
    expect(windows.byModel.m?.byStart.requests).toBe(2);
    expect(record.read({ windowMs: 1_000 }).windows.byStart.requests).toBe(1);
  });

  it('forgets the oldest requests at its bound, and says how many', () => {
    const { record, begin } = recordOf(5);
    for (let index = 0; index < 12; index++) begin().ended('complete');
    const reading = record.read();
    expect(reading.requests.map(({ id }) => id)).toEqual([8, 9, 10, 11, 12]);
    expect(reading.forgotten).toBe(7);
    expect(reading.counts.requests).toBe(12);
    expect(record.read({ requests: 2 }).requests).toHaveLength(2);
    expect(record.read({ requests: 0 }).requests).toHaveLength(0);
  });

  it('starts again with what is in flight', () => {
    const { record, begin } = recordOf();
    begin().ended('complete');
    const open = begin();
    record.reset();
    expect(record.read()).toMatchObject({
      counts: { requests: 1 },
      concurrency: { now: 1, peak: 1 },
    });
    open.ended('complete');
    expect(record.read().counts.byEnding).toEqual({ complete: 1 });
  });

  it('knows how well connections are reused, and leaves the control door out', () => {
    const { record, connection } = recordOf();
    const { connections } = record;
    for (let request = 0; request < 9; request++) connections.providerRequest(connection);
    const other = connections.opened();
    connections.providerRequest(other);
    connections.controlRequest(connections.opened());
    connections.closed(other);
    expect(connections.read()).toMatchObject({ opened: 2, open: 1, requests: 10, reuseRatio: 0.8 });
    expect(connections.read().list.map(({ requests }) => requests)).toEqual([9, 1]);
    record.reset();
    connections.providerRequest(connection);
    expect(connections.read()).toMatchObject({ opened: 0, requests: 1, reuseRatio: 1 });
  });
});
