import { encode, messageId, subjects, wakeContract } from '@starling/contracts';
import { EditPace, partNonce } from '@starling/discord';
import { describe, expect, it } from 'vitest';
import { startBot } from '../../src/bot/index.ts';
import { cluster, done, openBench } from './bot-bench.ts';
import { FakeDiscord, self } from './fake-discord.ts';

/** A bench with one question asked and its job taken. */
async function askedBench(...args: Parameters<typeof openBench>) {
  const bench = await openBench(...args);
  const id = bench.discord.say('tell me');
  return { bench, id, taken: await bench.take() };
}

const failure = (code: 'provider_unavailable' | 'provider_refused', partialText = '') =>
  ({ kind: 'failed', code, partialText }) as const;

describe('a streamed answer', () => {
  it('shows its first text at once, then edits in turn, the newest text each time [A9]', async () => {
    const { bench, taken } = await askedBench();
    await using _ = bench;
    await bench.frame(taken.job, 0, 'One');
    expect(bench.discord.texts).toEqual(['One']);
    bench.discord.editWaitMs = 1000;
    await bench.frame(taken.job, 1, ' two');
    await bench.frame(taken.job, 2, ' three');
    expect(bench.discord.texts).toEqual(['One']);
    await bench.clock.advance(1000);
    expect(bench.discord.texts).toEqual(['One two three']);
    expect(bench.discord.shown[0]?.edits).toBe(1);
    expect(await bench.result(taken, done('One two three four.'))).toBe('delivered');
    expect(bench.discord.texts).toEqual(['One two three four.']);
    expect(bench.exchanges[0]).toMatchObject({ posts: 1, edits: 2 });
    expect(bench.exchanges[0]?.firstTextMs).toBe(0);
  });

  it('keeps a second between edits of a channel while several answers stream in it [A9]', async () => {
    const { bench, taken } = await askedBench();
    await using _ = bench;
    bench.discord.say('me too', { author: { id: '400000000000000001', username: 'bob' } });
    const second = await bench.take();
    bench.discord.pace = new EditPace({ clock: bench.clock, minIntervalMs: 1000 });
    const editedAtMs: number[] = [];
    bench.discord.onEdit = () => editedAtMs.push(bench.clock.monotonicMs());
    for (let sequence = 0; sequence < 200; sequence++) {
      for (const { job } of [taken, second]) await bench.frame(job, sequence, `${sequence} `);
      await bench.clock.advance(50);
    }
    const gaps = editedAtMs.slice(1).map((atMs, index) => atMs - (editedAtMs[index] ?? 0));
    expect(gaps.length).toBeGreaterThan(8);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1000);
    const texts = ['The end.', 'The other end.'];
    await bench.result(taken, done(texts[0] ?? ''));
    await bench.result(second, done(texts[1] ?? ''));
    expect(bench.discord.texts).toEqual(texts);
  });

  it('stops at a hole, asks once for what is missing, and goes on with it [A9]', async () => {
    const { bench, id, taken } = await askedBench();
    await using _ = bench;
    await bench.frame(taken.job, 0, 'One');
    await bench.frame(taken.job, 2, ' three');
    await bench.frame(taken.job, 3, ' four');
    await bench.clock.advance(10_000);
    expect(bench.discord.texts).toEqual(['One']);
    expect(bench.resends).toEqual([{ jobId: id, attempt: 1, from: 1 }]);
    await bench.frame(taken.job, 1, ' two');
    await bench.frame(taken.job, 2, ' three');
    await bench.frame(taken.job, 3, ' four');
    expect(bench.discord.texts).toEqual(['One two three four']);
    await bench.frame(taken.job, 7, ' nine');
    await bench.result(taken, done('One two three four … ten'));
    expect(bench.discord.texts).toEqual(['One two three four … ten']);
  });

  it('starts anew with a later attempt, in the same message [A6]', async () => {
    const { bench, taken } = await askedBench();
    await using _ = bench;
    await bench.frame(taken.job, 0, 'First try', 1);
    await bench.frame(taken.job, 0, 'Second', 2);
    await bench.frame(taken.job, 1, ' ghost', 1);
    await bench.frame(taken.job, 1, ' try', 2);
    expect(bench.discord.texts).toEqual(['Second try']);
  });

  it('goes on in further messages past 2000 characters [A9]', async () => {
    const { bench, taken } = await askedBench();
    await using _ = bench;
    const words = Array.from({ length: 700 }, (_, n) => `word${n}`).join(' ');
    await bench.frame(taken.job, 0, words.slice(0, 2500));
    await bench.result(taken, done(words));
    expect(bench.discord.texts.length).toBe(3);
    expect(bench.discord.texts.join('')).toBe(words);
    expect(bench.discord.shown.map(({ replyTo }) => replyTo !== undefined)).toEqual([
      true,
      false,
      false,
    ]);
    expect(new Set(bench.discord.shown.map(({ nonce }) => nonce)).size).toBe(3);
  });

  it('hides what the model thinks aloud, and does not end typing for it [F9]', async () => {
    const { bench, taken } = await askedBench();
    await using _ = bench;
    await bench.frame(taken.job, 0, '<think>a secret');
    await bench.clock.advance(8000);
    expect(bench.discord.texts).toEqual([]);
    expect(bench.discord.typings).toBe(2);
    await bench.frame(taken.job, 1, '</think>Hello');
    expect(bench.discord.texts).toEqual(['Hello']);
    await bench.result(taken, done('<think>a secret</think>Hello.'));
    expect(bench.discord.texts).toEqual(['Hello.']);
  });

  it('counts frames that cannot be read, and lives on', async () => {
    const { bench, taken } = await askedBench();
    await using _ = bench;
    const subject = subjects.frame(cluster, taken.job.jobId, 1);
    bench.bus.messaging.publish(subject, new TextEncoder().encode('{"v":1,"jobId":'));
    bench.bus.messaging.publish(subject, new TextEncoder().encode('{"v":1,"text":7}'));
    bench.discord.dispatch({ id: 7 });
    await bench.frame(taken.job, 0, 'Fine.');
    expect(bench.discord.texts).toEqual(['Fine.']);
    const counted = (await bench.telemetry.metrics()).filter(
      ({ name }) => name === 'starling.bot.quarantined',
    );
    expect(
      counted.map(({ attributes, value }) => [attributes.source, attributes.fault, value]),
    ).toEqual(
      expect.arrayContaining([
        ['frame', 'not_json', 1],
        ['frame', 'invalid', 1],
        ['gateway', 'invalid', 1],
      ]),
    );
  });
});

describe('a result', () => {
  it('that is told twice is shown once, and its job removed again if it came back [A6]', async () => {
    const { bench, taken } = await askedBench();
    await using _ = bench;
    expect(await bench.result(taken, done('Hi.'))).toBe('delivered');
    // A store that was killed may have forgotten a removal.
    const { jobId } = taken.job;
    const again = await bench.store.put('jobs.dm.again', new Uint8Array(), { id: 'again' });
    const wake = encode(wakeContract, { jobId, stored: again.sequence });
    bench.bus.messaging.publish(subjects.wake(cluster), wake);
    await bench.settle();
    expect(await bench.store.size()).toBe(0);
    expect(bench.discord.texts).toEqual(['Hi.']);
    expect(bench.exchanges).toHaveLength(1);
  });

  it('whose last frame was lost is found by looking', async () => {
    const { bench, taken } = await askedBench();
    await using _ = bench;
    await bench.frame(taken.job, 0, 'Hi');
    await bench.end(taken, done('Hi there.'), 'silently');
    await bench.clock.advance(1_500);
    expect(bench.discord.texts).toEqual(['Hi']);
    await bench.clock.advance(3_000);
    expect(bench.discord.texts).toEqual(['Hi there.']);
    expect(await bench.store.size()).toBe(0);
  });

  it('is shown once although Discord lost its replies [A6]', async () => {
    const { bench, taken } = await askedBench();
    await using _ = bench;
    bench.discord.failNext('post', 'unavailable', { times: 3, afterwards: true });
    expect(await bench.result(taken, done('Hi.'))).toBe('delivered');
    expect(bench.discord.texts).toEqual(['Hi.']);
    expect(bench.exchanges[0]?.posts).toBe(1);
  });

  it('waits while Discord is away, and is delivered when it is back', async () => {
    const { bench, taken } = await askedBench();
    await using _ = bench;
    bench.discord.failNext('post', 'unavailable', { times: 7 });
    expect(await bench.result(taken, done('Hi.'), { advanceMs: 2_000 })).toBe('busy');
    expect(bench.exchanges).toEqual([]);
    await bench.clock.advance(30_000);
    expect(bench.discord.texts).toEqual(['Hi.']);
    expect(await bench.store.size()).toBe(0);
  });

  it('of a channel that is closed to us is final, and posts nothing', async () => {
    const { bench, taken } = await askedBench();
    await using _ = bench;
    bench.discord.failNext('post', 'gone');
    expect(await bench.result(taken, done('Hi.'))).toBe('delivered');
    expect(bench.discord.texts).toEqual([]);
    expect(bench.bot.snapshot.openAnswers).toBe(0);
  });

  it('that failed is told honestly below what was read already [F10]', async () => {
    const { bench, taken } = await askedBench();
    await using _ = bench;
    await bench.frame(taken.job, 0, 'The beginning\n```js\nlet x');
    await bench.result(taken, failure('provider_unavailable', 'The beginning\n```js\nlet x'));
    expect(bench.discord.texts[0]).toMatch(
      /^The beginning\n```js\nlet x\n```\n\nThe language model cannot be reached right now · try again <t:\d+:R> · id [0-9a-f]{8}$/,
    );
    expect(bench.exchanges[0]).toMatchObject({
      ending: { kind: 'failed', code: 'provider_unavailable' },
      firstTextMs: 0,
    });
    expect(await bench.conversations.recent(taken.job.origin.channelId)).toEqual([]);
  });

  it('without words is a failure, never silence [F10]', async () => {
    const { bench, taken } = await askedBench();
    await using _ = bench;
    await bench.result(taken, done('<think>only thoughts</think> \u200b'));
    expect(bench.discord.texts[0]).toMatch(/broke off before its end/);
    expect(bench.exchanges[0]).not.toHaveProperty('firstTextMs');
  });

  it('gives the place of its job back', async () => {
    const { bench, taken } = await askedBench();
    await using _ = bench;
    await bench.result(taken, done('Hi.'));
    const owner = { userId: taken.job.origin.userId, jobId: taken.job.jobId };
    expect(await bench.admission.admit(owner, { holdMs: 1 })).toMatchObject({ replay: false });
  });

  it('that nobody wrote yet is not delivered, and what cannot be read harms nobody', async () => {
    const { bench, taken } = await askedBench();
    await using _ = bench;
    const { jobId } = taken.job;
    const wake = (payload: Uint8Array) =>
      bench.bus.messaging.publish(subjects.wake(cluster), payload);
    wake(new TextEncoder().encode('nonsense'));
    wake(encode(wakeContract, { jobId, stored: taken.stored }));
    await bench.settle();
    expect(bench.discord.texts).toEqual([]);
    expect(await bench.result(taken, done('Hi.'))).toBe('delivered');
  });
});

describe('a deadline', () => {
  it('ends in an honest failure, which a late result replaces in the same message [F10] [A6]', async () => {
    const { bench, taken } = await askedBench();
    await using _ = bench;
    await bench.clock.advance(66_000);
    expect(bench.discord.texts[0]).toMatch(/could not answer this in time · try again/);
    expect(bench.exchanges[0]?.ending).toEqual({ kind: 'failed', code: 'deadline_exceeded' });
    expect(await bench.result(taken, done('Late, but here.'))).toBe('delivered');
    expect(bench.discord.texts).toEqual(['Late, but here.']);
    expect(bench.exchanges[1]?.ending).toMatchObject({ kind: 'answered' });
    expect(bench.exchanges[1]?.correlationId).toBe(bench.exchanges[0]?.correlationId);
  });

  it('is not followed by a second failure', async () => {
    const { bench, taken } = await askedBench();
    await using _ = bench;
    await bench.clock.advance(66_000);
    const [text] = bench.discord.texts;
    expect(await bench.result(taken, failure('provider_unavailable'))).toBe('delivered');
    expect(bench.discord.texts).toEqual([text]);
    expect(bench.exchanges).toHaveLength(1);
  });
});

describe('a deleted question', () => {
  it('stops its job calmly, and says so below what stands there [F10]', async () => {
    const { bench, id, taken } = await askedBench();
    await using _ = bench;
    await bench.frame(taken.job, 0, 'One');
    bench.discord.delete(id);
    await bench.settle();
    expect(bench.cancels).toEqual([{ jobId: id, reason: 'message_deleted' }]);
    const stopped = [expect.stringMatching(/^One\n\nStopped · id [0-9a-f]{8}$/)];
    expect(bench.discord.texts).toEqual(stopped);
    expect(bench.exchanges[0]?.ending).toEqual({ kind: 'failed', code: 'cancelled' });
    expect(await bench.result(taken, done('One two'))).toBe('delivered');
    expect(bench.discord.texts).toEqual(stopped);
  });

  it('is left in silence when nothing was shown yet', async () => {
    const { bench, id, taken } = await askedBench();
    await using _ = bench;
    bench.discord.delete(id);
    await bench.settle();
    expect(await bench.result(taken, done('One two'))).toBe('delivered');
    expect(bench.discord.texts).toEqual([]);
  });

  it('ends quietly when our own answer was deleted', async () => {
    const { bench, taken } = await askedBench();
    await using _ = bench;
    await bench.frame(taken.job, 0, 'One');
    bench.discord.shown.length = 0;
    expect(await bench.result(taken, done('One two'))).toBe('delivered');
    expect(bench.discord.texts).toEqual([]);
    expect(bench.exchanges).toHaveLength(1);
  });

  it('stops its job also when it was deleted before the job was accepted', async () => {
    const stored = Promise.withResolvers<{ duplicate: boolean; sequence: number }>();
    await using bench = await openBench({ put: () => stored.promise });
    const id = bench.discord.say('tell me');
    await bench.settle();
    bench.discord.delete(id);
    await bench.settle();
    stored.resolve({ duplicate: false, sequence: 1 });
    await bench.settle();
    expect(bench.cancels).toHaveLength(2);
    expect(bench.discord.texts).toEqual([]);
    expect(bench.exchanges).toHaveLength(1);
  });

  it('harms nobody while the bus is away', async () => {
    const { bench, id } = await askedBench();
    await using _ = bench;
    await bench.bus[Symbol.asyncDispose]();
    bench.discord.delete(id);
    await bench.settle();
    expect(bench.telemetry.lines.map(({ event }) => event)).toContain('message.unsent');
    expect(bench.bot.snapshot.openAnswers).toBe(0);
  });

  it('is nothing to a bot that has no part in it', async () => {
    const { bench } = await askedBench();
    await using _ = bench;
    bench.discord.delete(messageId.parse('1499999999999999999'));
    await bench.settle();
    expect(bench.cancels).toEqual([]);
  });
});

describe('another process', () => {
  it('finishes the half answer that the first one left, in its place [A6]', async () => {
    const { bench, taken } = await askedBench();
    await using _ = bench;
    const words = Array.from({ length: 400 }, (_, n) => `word${n}`).join(' ');
    await bench.frame(taken.job, 0, words.slice(0, 2200));
    expect(bench.discord.texts).toHaveLength(2);
    await bench.bot[Symbol.asyncDispose]();
    await using _second = await startBot(bench.parts);
    expect(await bench.result(taken, done(words))).toBe('delivered');
    expect(bench.discord.texts.join('')).toBe(words);
    expect(bench.discord.shown).toHaveLength(2);
    expect(bench.exchanges[0]).toMatchObject({ ending: { kind: 'answered' }, posts: 0 });
  });

  it('posts the answer of which nothing was shown yet, as a reply [A6]', async () => {
    const { bench, id, taken } = await askedBench();
    await using _ = bench;
    await bench.bot[Symbol.asyncDispose]();
    await using _second = await startBot(bench.parts);
    expect(await bench.result(taken, done('Hi.'))).toBe('delivered');
    expect(bench.discord.shown[0]).toMatchObject({ content: 'Hi.', replyTo: id });
  });

  it('waits until it knows its own account, and can read the channel', async () => {
    const { bench, taken } = await askedBench();
    await using _ = bench;
    await bench.bot[Symbol.asyncDispose]();
    const starting = new FakeDiscord();
    starting.self = undefined;
    await using second = await startBot({ ...bench.parts, gateway: starting });
    expect(await bench.result(taken, done('Hi.'), { advanceMs: 5_000 })).toBe('busy');
    bench.discord.failNext('fetchAfter', 'unavailable');
    starting.self = bench.discord.self;
    await bench.clock.advance(20_000);
    expect(bench.discord.texts).toEqual(['Hi.']);
    expect(second.snapshot).toEqual({ openAnswers: 0, deliveries: 0 });
    expect(await bench.store.size()).toBe(0);
  });

  it('finds what ended while nobody was there, and delivers it once [A6]', async () => {
    const { bench, id, taken } = await askedBench();
    await using _ = bench;
    await bench.frame(taken.job, 0, 'Half an ans');
    await bench.bot[Symbol.asyncDispose]();
    await bench.end(taken, done('A whole answer.'), 'silently');
    await using second = await startBot(bench.parts);
    // The gateway replays what it is not sure we have seen.
    bench.discord.say('tell me', { id });
    await bench.clock.advance(5_000);
    expect(bench.discord.texts).toEqual(['A whole answer.']);
    expect(bench.discord.shown[0]).toMatchObject({ edits: 1, replyTo: id });
    expect(await bench.store.size()).toBe(0);
    expect(second.snapshot).toEqual({ openAnswers: 0, deliveries: 0 });
  });

  it('edits the message that was recorded, whatever stands in it [A6]', async () => {
    const { bench, taken } = await askedBench();
    await using _ = bench;
    await bench.frame(taken.job, 0, 'Something that the second try did not say');
    const [shown] = bench.discord.shown;
    await bench.bot[Symbol.asyncDispose]();
    const posts = await bench.ledger.posts.read(taken.job.jobId);
    expect(posts).toEqual([{ part: 1, messageId: shown?.id }]);
    await using _second = await startBot(bench.parts);
    bench.discord.failNext('fetchAfter', 'refused');
    expect(await bench.result(taken, done('Another.'))).toBe('delivered');
    expect(bench.discord.texts).toEqual(['Another.']);
  });

  it('learns by its own message what an earlier one had posted when it died [A6]', async () => {
    const { bench, taken } = await askedBench();
    await using _ = bench;
    await bench.bot[Symbol.asyncDispose]();
    await using _second = await startBot(bench.parts);
    await bench.settle();
    const id = bench.discord.nextId();
    const nonce = partNonce(taken.job.jobId, 0);
    bench.discord.say('', {
      ...{ id, nonce, content: 'Half', mentions: [] },
      author: { id: self, username: 'starling', bot: true },
    });
    await bench.settle();
    expect(await bench.ledger.posts.read(taken.job.jobId)).toEqual([{ part: 1, messageId: id }]);
    expect(await bench.store.size()).toBe(1);
  });
});

describe('a drain', () => {
  it('closes the gateway, finishes the open answer, then ends', async () => {
    const { bench, taken } = await askedBench();
    await using _ = bench;
    let drained = false;
    const draining = bench.bot
      .drain({ signal: new AbortController().signal })
      .then(() => (drained = true));
    bench.discord.say('too late');
    await bench.settle();
    expect(bench.discord.closed).toBe(true);
    expect(drained).toBe(false);
    expect(await bench.result(taken, done('Hi.'))).toBe('delivered');
    await draining;
    expect(bench.discord.texts).toEqual(['Hi.']);
    expect(await bench.conversations.recent(taken.job.origin.channelId)).toHaveLength(1);
  });

  it('that is cut short in mid-delivery leaves the end to the next process', async () => {
    const { bench, taken } = await askedBench();
    await using _ = bench;
    bench.discord.failNext('post', 'unavailable', { times: 2 });
    expect(await bench.result(taken, done('Hi.'), { advanceMs: 0 })).toBe('busy');
    await bench.bot[Symbol.asyncDispose]();
    expect(bench.discord.texts).toEqual([]);
    await using _second = await startBot(bench.parts);
    await bench.clock.advance(10_000);
    expect(bench.discord.texts).toEqual(['Hi.']);
  });

  it('that is cut short leaves the answer to the next process, and no timer behind', async () => {
    const { bench } = await askedBench();
    await using _ = bench;
    const hurry = new AbortController();
    const draining = bench.bot.drain({ signal: hurry.signal });
    await bench.settle();
    hurry.abort();
    await draining;
    await bench.bot[Symbol.asyncDispose]();
    expect(bench.discord.texts).toEqual([]);
    expect(bench.clock.pendingTimers).toBe(0);
  });
});
