import { SimulatedClock } from '@starling/clock';
import { headerNames } from '@starling/contracts';
import { describe, expect, it } from 'vitest';
import { deadLetter, deadLettersStore, listDeadLetters } from '../src/index.ts';
import { jobOf } from './ledger-sample.ts';
import { memoryStores, type Stores, tooLarge, traceId } from './operator-stores.ts';

const failed = { kind: 'failed', code: 'internal' } as const;
const text = (value: string) => new TextEncoder().encode(value);

async function bury(stores: Stores, n: number, atMs: number) {
  const sequence = await stores.storeRaw(jobOf(n), text('x'));
  const message = await stores.whole(sequence);
  await deadLetter(stores.letters, { message, reason: failed, attempts: 3, atMs });
  await stores.store.remove(sequence);
}

describe('a dead letter', () => {
  it('keeps the job whole, with why, when and its correlation id [A1]', async () => {
    const clock = new SimulatedClock();
    await using stores = await memoryStores(clock);
    const sequence = await stores.accept(jobOf(1));
    const message = await stores.whole(sequence);
    await clock.advance(5_000);
    const death = { message, reason: failed, attempts: 3, atMs: clock.nowMs() };
    expect(await deadLetter(stores.letters, death)).toBe(true);
    // Another balancer gives it up too.
    expect(await deadLetter(stores.letters, { ...death, attempts: 2 })).toBe(false);
    const letters = await listDeadLetters(stores.letters);
    expect(letters).toEqual([
      {
        name: jobOf(1),
        sequence: 1,
        subject: message.subject,
        reason: failed,
        attempts: 3,
        storedAtMs: message.storedAtMs,
        diedAtMs: clock.nowMs(),
        correlationId: traceId.slice(0, 8),
        userKey: message.headers[headerNames.user],
        headers: expect.objectContaining(message.headers),
      },
    ]);
    expect((await stores.letters.read(1))?.payload).toEqual(message.payload);
  });

  it('says what could not be read, whatever it was, and leaves out what is over the bound', async () => {
    await using stores = await memoryStores(new SimulatedClock());
    const sequence = await stores.storeRaw(jobOf(1), tooLarge);
    const problem = `✖ a\r\nb\ud800%${'é'.repeat(600)}`;
    await deadLetter(stores.letters, {
      message: await stores.whole(sequence),
      reason: { kind: 'unreadable', problem },
      attempts: 0,
      atMs: 1,
    });
    const [letter = expect.fail()] = await listDeadLetters(stores.letters);
    expect(letter.reason).toEqual({
      kind: 'unreadable',
      problem: problem.slice(0, 500).toWellFormed(),
    });
    expect((await stores.letters.read(letter.sequence))?.payload).toHaveLength(0);
  });

  it('has a name even when its job has none', async () => {
    await using stores = await memoryStores(new SimulatedClock());
    const payload = text('x');
    const { sequence } = await stores.store.put('jobs.batch.a job?'.replace(' ', '~'), payload, {
      id: 'strange',
    });
    const message = await stores.whole(sequence);
    const reason = { kind: 'unreadable', problem: 'no id' } as const;
    await deadLetter(stores.letters, { message, reason, attempts: 0, atMs: 1 });
    const [letter] = await listDeadLetters(stores.letters);
    expect(letter).toMatchObject({ name: `stored-${sequence}`, subject: 'jobs.batch.a~job?' });
  });

  it('makes room by letting the oldest go, and goes itself after a week', async () => {
    const clock = new SimulatedClock();
    await using stores = await memoryStores(clock);
    const { maxAgeMs, maxMessages } = deadLettersStore;
    for (let n = 0; n <= maxMessages; n += 1) await bury(stores, n, n);
    const kept = await listDeadLetters(stores.letters);
    expect(kept).toHaveLength(maxMessages - 49);
    expect(kept[0]?.name).toBe(jobOf(50));
    expect(kept.at(-1)?.name).toBe(jobOf(maxMessages));
    await clock.advance(maxAgeMs);
    expect(await listDeadLetters(stores.letters)).toEqual([]);
  });

  it('that is none of ours is left out', async () => {
    await using stores = await memoryStores(new SimulatedClock());
    await stores.letters.put('deadletters.strange', text('x'), { id: 'strange' });
    expect(await listDeadLetters(stores.letters)).toEqual([]);
  });
});
