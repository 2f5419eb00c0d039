import { createMemoryBus } from '@starling/bus';
import { SimulatedClock } from '@starling/clock';
import { captureTelemetry } from '@starling/telemetry/testing';
import { describe, expect, it } from 'vitest';
import { createLedger, ledgerBucket } from '../src/index.ts';
import { jobOf, messageOf } from './ledger-sample.ts';

const job = jobOf(0);

async function open() {
  const clock = new SimulatedClock();
  const bucket = await createMemoryBus({ clock }).openKeyValue(ledgerBucket);
  return { bucket, posts: createLedger({ bucket, clock }).posts };
}

describe('the messages of an answer', () => {
  it('are read in their order, each with the message that was recorded first', async () => {
    const { posts } = await open();
    expect(await posts.read(job)).toEqual([]);
    expect(await posts.record(job, 1, messageOf(1))).toBe(messageOf(1));
    expect(await posts.record(job, 2, messageOf(2))).toBe(messageOf(2));
    expect(await posts.record(job, 1, messageOf(9))).toBe(messageOf(1));
    await posts.record(jobOf(1), 1, messageOf(5));
    expect(await posts.read(job)).toEqual([
      { part: 1, messageId: messageOf(1) },
      { part: 2, messageId: messageOf(2) },
    ]);
  });

  it('are intended once, and an intent becomes a message', async () => {
    const { posts } = await open();
    expect(await posts.intend(job, 1)).toBe(true);
    expect(await posts.intend(job, 1)).toBe(false);
    expect(await posts.read(job)).toEqual([{ part: 1 }]);
    expect(await posts.record(job, 1, messageOf(1))).toBe(messageOf(1));
    expect(await posts.intend(job, 1)).toBe(false);
    expect(await posts.read(job)).toEqual([{ part: 1, messageId: messageOf(1) }]);
  });

  it('have one winner when two owners record at once', async () => {
    const { posts } = await open();
    await posts.intend(job, 1);
    const stands = await Promise.all([1, 2, 3, 4].map((n) => posts.record(job, 1, messageOf(n))));
    expect(new Set(stands).size).toBe(1);
  });

  it('may have been posted when their record cannot be read', async () => {
    await using telemetry = captureTelemetry();
    const { bucket, posts } = await open();
    await bucket.create(`${job}.post.1`, new TextEncoder().encode('?'));
    expect(await posts.intend(job, 1)).toBe(false);
    expect(await posts.read(job)).toEqual([{ part: 1 }]);
    expect(telemetry.lines.map(({ event }) => event)).toEqual(['post.unreadable']);
  });
});
