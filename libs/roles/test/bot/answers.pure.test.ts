import { messageId, subjects } from '@starling/contracts';
import { EditPace } from '@starling/discord';
import { describe, expect, it } from 'vitest';
import { startBot } from '../../src/bot/index.ts';
import { cluster, done, openBench } from './bot-bench.ts';
import { FakeDiscord } from './fake-discord.ts';

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

  it('stops at a hole and waits for the result, which has the last word [A9]', async () => {
    const { bench, taken } = await askedBench();
    await using _ = bench;
    await bench.frame(taken.job, 0, 'One');
    await bench.frame(taken.job, 2, ' three');
    await bench.frame(taken.job, 3, ' four');
    await bench.clock.advance(10_000);
    expect(bench.discord.texts).toEqual(['One']);
    await bench.result(taken, done('One two three four'));
    expect(bench.discord.texts).toEqual(['One two three four']);
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
  it('that comes twice is shown once and delivered twice [A6]', async () => {
    const { bench, taken } = await askedBench();
    await using _ = bench;
    expect(await bench.result(taken, done('Hi.'))).toBe('delivered');
    expect(await bench.result(taken, done('Hi.'))).toBe('delivered');
    expect(bench.discord.texts).toEqual(['Hi.']);
    expect(bench.exchanges).toHaveLength(1);
  });

  it('is shown once although Discord lost its replies [A6]', async () => {
    const { bench, taken } = await askedBench();
    await using _ = bench;
    bench.discord.failNext('post', 'unavailable', { times: 3, afterwards: true });
    expect(await bench.result(taken, done('Hi.'))).toBe('delivered');
    expect(bench.discord.texts).toEqual(['Hi.']);
    expect(bench.exchanges[0]?.posts).toBe(1);
  });

  it('comes again while Discord is away, and is delivered when it is back', async () => {
    const { bench, taken } = await askedBench();
    await using _ = bench;
    bench.discord.failNext('post', 'unavailable', { times: 7 });
    expect(await bench.result(taken, done('Hi.'))).toBe('busy');
    expect(bench.exchanges).toEqual([]);
    expect(await bench.result(taken, done('Hi.'))).toBe('delivered');
    expect(bench.discord.texts).toEqual(['Hi.']);
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

  it('that cannot be read gets no reply and harms nobody', async () => {
    const { bench, taken } = await askedBench();
    await using _ = bench;
    const nonsense = new TextEncoder().encode('nonsense');
    const asking = bench.bus.messaging.request(subjects.result(cluster), nonsense, {
      timeoutMs: 100,
    });
    const failed = expect(asking).rejects.toMatchObject({ code: 'timeout' });
    await bench.clock.advance(200);
    await failed;
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
    const stored = Promise.withResolvers<{ duplicate: boolean }>();
    await using bench = await openBench({ queue: { enqueue: () => stored.promise } });
    const id = bench.discord.say('tell me');
    await bench.settle();
    bench.discord.delete(id);
    await bench.settle();
    stored.resolve({ duplicate: false });
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
    expect(bench.telemetry.lines.map(({ event }) => event)).toContain('cancel.unpublished');
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

  it('lets the result come again while it does not know its own account, or the channel', async () => {
    const { bench, taken } = await askedBench();
    await using _ = bench;
    await bench.bot[Symbol.asyncDispose]();
    const starting = new FakeDiscord();
    starting.self = undefined;
    await using second = await startBot({ ...bench.parts, gateway: starting });
    expect(await bench.result(taken, done('Hi.'))).toBe('busy');
    starting.self = bench.discord.self;
    bench.discord.failNext('fetchAfter', 'unavailable');
    expect(await bench.result(taken, done('Hi.'))).toBe('busy');
    expect(second.snapshot.openAnswers).toBe(0);
    expect(await bench.result(taken, done('Hi.'))).toBe('delivered');
    expect(bench.discord.texts).toEqual(['Hi.']);
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

  it('that is cut short in mid-delivery lets the result come again', async () => {
    const { bench, taken } = await askedBench();
    await using _ = bench;
    bench.discord.failNext('post', 'unavailable', { times: 100 });
    const replying = bench.result(taken, done('Hi.'), { advanceMs: 300 });
    await bench.bot[Symbol.asyncDispose]();
    expect(await replying).toBe('busy');
  });

  it('that is cut short leaves the answer to the next process, and no timer behind', async () => {
    const { bench, taken } = await askedBench();
    await using _ = bench;
    await bench.queue.settle(taken.receipt, { kind: 'ack' });
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
