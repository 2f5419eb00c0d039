import {
  admissionSection,
  balancerSection,
  deliverySection,
  parseConfig,
  sharingSection,
  workerSection,
} from '@starling/config';
import {
  balancerId,
  encode,
  type Outlook,
  outlookContract,
  subjects,
  workerId,
} from '@starling/contracts';
import { EditPace, partNonce } from '@starling/discord';
import { answerOf, FakeProvider } from '@starling/llm/testing';
import { describe, expect, it } from 'vitest';
import { startBalancer } from '../../src/balancer/index.ts';
import { startBot } from '../../src/bot/index.ts';
import { startWorker } from '../../src/worker/index.ts';
import { cluster, done, openBench } from './bot-bench.ts';
import { ada } from './fake-discord.ts';

type Bench = Awaited<ReturnType<typeof openBench>>;
type Taken = Awaited<ReturnType<Bench['take']>>;

/** A balancer's word on waiting jobs. */
async function tell(bench: Bench, ...jobs: readonly Outlook[]): Promise<void> {
  const outlook = encode(outlookContract, { jobs: [...jobs] });
  bench.bus.messaging.publish(subjects.outlook(cluster), outlook);
  await bench.settle();
}

const at = ({ job, stored }: Taken, position: number, waitMs?: number): Outlook => ({
  ...{ jobId: job.jobId, stored, position },
  ...(waitMs !== undefined && { waitMs }),
});

/** A bench with one question asked, whose job waits. */
async function waitingBench() {
  const bench = await openBench();
  const id = bench.discord.say('tell me');
  const taken = await bench.take();
  return { bench, id, taken };
}

describe('a question that waits', () => {
  it('is told its place in the message that becomes its answer [B6] [A6]', async () => {
    const { bench, id, taken } = await waitingBench();
    await using _ = bench;
    await bench.clock.advance(2_000);
    await tell(bench, at(taken, 11, 8_000));
    expect(bench.discord.shown).toMatchObject([
      {
        content: 'In line: place 12, about 8 s',
        replyTo: id,
        nonce: partNonce(taken.job.jobId, 0),
        stop: { jobId: taken.job.jobId, asker: ada },
      },
    ]);
    await bench.clock.advance(2_000);
    await tell(bench, at(taken, 4, 3_000));
    expect(bench.discord.texts).toEqual(['In line: place 5, about 3 s']);
    await bench.clock.advance(4_000);
    // Seen, and not begun yet.
    expect(bench.discord.typings).toBe(2);
    await bench.frame(taken.job, 0, 'The');
    expect(bench.discord.texts).toEqual(['The']);
    expect(await bench.result(taken, done('The answer.'))).toBe('delivered');
    expect(bench.discord.shown).toMatchObject([{ content: 'The answer.', stop: undefined }]);
    // The line is no text of the answer.
    expect(bench.exchanges[0]).toMatchObject({ posts: 1, firstTextMs: 8_000 });
    expect(await bench.ledger.posts.read(taken.job.jobId)).toHaveLength(1);
  });

  it('is told nothing when its turn comes at once, nor after the first text [B6]', async () => {
    const { bench, taken } = await waitingBench();
    await using _ = bench;
    await tell(bench, at(taken, 0, 900));
    expect(bench.discord.texts).toEqual([]);
    await bench.frame(taken.job, 0, 'One');
    await tell(bench, at(taken, 7, 9_000));
    await bench.clock.advance(5_000);
    expect(bench.discord.texts).toEqual(['One']);
  });

  it('shows its first text although the line is still being posted, and never the line again', async () => {
    const { bench, taken } = await waitingBench();
    await using _ = bench;
    const posted = Promise.withResolvers<void>();
    const post = bench.discord.post.bind(bench.discord);
    bench.discord.post = async (...args) => {
      await posted.promise;
      return await post(...args);
    };
    await tell(bench, at(taken, 3));
    await tell(bench, at(taken, 2));
    await bench.frame(taken.job, 0, 'One');
    await tell(bench, at(taken, 1));
    expect(bench.discord.texts).toEqual([]);
    posted.resolve();
    await bench.settle();
    expect(bench.discord.texts).toEqual(['One']);
    expect(bench.discord.shown[0]?.edits).toBe(1);
  });

  it('waits for its turn with a line of old, and then shows what is newest', async () => {
    const { bench, taken } = await waitingBench();
    await using _ = bench;
    await tell(bench, at(taken, 3));
    bench.discord.editWaitMs = 1_000;
    await tell(bench, at(taken, 2));
    await bench.frame(taken.job, 0, 'One');
    await bench.clock.advance(1_000);
    expect(bench.discord.shown).toMatchObject([{ content: 'One', edits: 1 }]);
  });

  it('does not keep the answers of a busy channel waiting [A9]', async () => {
    await using bench = await openBench();
    bench.discord.pace = new EditPace({ clock: bench.clock, minIntervalMs: 1_000 });
    const asked: Taken[] = [];
    for (const user of ['1', '2', '3', '4']) {
      bench.discord.say('me', { author: { id: `40000000000000010${user}`, username: user } });
      asked.push(await bench.take());
    }
    const [streaming, ...waiting] = asked;
    if (!streaming) throw new Error('nothing was asked');
    const editedAtMs: number[] = [];
    bench.discord.onEdit = () => editedAtMs.push(bench.clock.monotonicMs());
    let frames = 0;
    for (let round = 0; round < 60; round += 1) {
      await tell(bench, ...waiting.map((taken) => at(taken, 60 - round)));
      await bench.frame(streaming.job, frames++, `${round} `);
      await bench.clock.advance(500);
    }
    const gaps = editedAtMs.slice(1).map((atMs, index) => atMs - (editedAtMs[index] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1_000);
    // Thirty seconds of edits: two thirds for the text that streams, the rest for the lines in turn.
    const editsOf = ({ job }: Taken) =>
      bench.discord.shown.find(({ replyTo }) => replyTo === job.origin.messageId)?.edits ?? 0;
    expect(editsOf(streaming)).toBeGreaterThanOrEqual(18);
    const lines = waiting.map(editsOf);
    expect(Math.min(...lines)).toBeGreaterThanOrEqual(2);
    expect(Math.max(...lines) - Math.min(...lines)).toBeLessThanOrEqual(1);
  });

  it('is told honestly in the same message when there will be no answer [F10]', async () => {
    const { bench, taken } = await waitingBench();
    await using _ = bench;
    await tell(bench, at(taken, 3));
    await bench.result(taken, { kind: 'failed', code: 'no_worker', partialText: '' });
    expect(bench.discord.texts).toEqual([
      expect.stringMatching(/^Nobody is free.*· id [0-9a-f]{8}$/),
    ]);
    expect(bench.discord.shown[0]?.stop).toBeUndefined();
    expect(bench.exchanges[0]).not.toHaveProperty('firstTextMs');
  });

  it('is told where it would stand when too many wait, and when to try again [B7] [D5]', async () => {
    const { bench, taken } = await waitingBench();
    await using _ = bench;
    const place = { position: 19_999, waitMs: 100_000 };
    await bench.result(taken, { kind: 'failed', code: 'too_busy', partialText: '', place });
    expect(bench.discord.texts[0]).toMatch(
      /^Too many .* moment · this one would be at place 20000, about 2 min · try again <t:\d+:R> · id [0-9a-f]{8}$/,
    );
    const again = Number(/<t:(\d+):R>/.exec(bench.discord.texts[0] ?? '')?.[1]);
    expect(Math.round(again - bench.clock.nowMs() / 1_000)).toBe(80);
  });

  it('takes its line away when it is deleted', async () => {
    const { bench, id, taken } = await waitingBench();
    await using _ = bench;
    await tell(bench, at(taken, 3));
    bench.discord.delete(id);
    await bench.settle();
    expect(bench.discord.texts).toEqual([]);
    expect(bench.cancels).toEqual([{ jobId: id, reason: 'message_deleted' }]);
  });

  it('is stopped in its place by the button [A10]', async () => {
    const { bench, taken } = await waitingBench();
    await using _ = bench;
    await tell(bench, at(taken, 3));
    bench.discord.press({ jobId: taken.job.jobId, asker: ada });
    await bench.settle();
    expect(bench.discord.shown).toMatchObject([{ stop: undefined }]);
    expect(bench.discord.texts[0]).toMatch(/^Stopped · id [0-9a-f]{8}$/);
    await tell(bench, at(taken, 2));
    expect(bench.discord.texts[0]).toMatch(/^Stopped/);
    expect(bench.cancels[0]).toEqual({ jobId: taken.job.jobId, reason: 'user' });
  });

  it('names its place to a further question that is refused for it [B7] [D5]', async () => {
    const { bench, taken } = await waitingBench();
    await using _ = bench;
    for (const text of ['two', 'three']) bench.discord.say(text);
    await bench.settle();
    await tell(bench, at(taken, 5, 4_000));
    bench.discord.say('four');
    await bench.settle();
    expect(bench.discord.texts.at(-1)).toMatch(
      /^You already have .*first · the first of them: place 6, about 4 s · try again <t:\d+:R> · id [0-9a-f]{8}$/,
    );
    await bench.clock.advance(5_000);
    bench.discord.say('five');
    await bench.settle();
    // Nothing was heard of it for a while: it may have begun.
    expect(bench.discord.texts.at(-1)).toMatch(/first · try again/);
  });

  it('lives on when a word about it cannot be read, or is about nothing', async () => {
    const { bench, taken } = await waitingBench();
    await using _ = bench;
    bench.bus.messaging.publish(subjects.outlook(cluster), new TextEncoder().encode('{"jobs":1}'));
    await tell(bench, { ...at(taken, 3), jobId: `${taken.job.jobId}0` as never, stored: 99 });
    await tell(bench, { ...at(taken, 3), jobId: 'other' as never });
    expect(bench.discord.texts).toEqual([]);
    expect(bench.bot.snapshot.openAnswers).toBe(1);
    const counted = (await bench.telemetry.metrics()).filter(
      ({ name }) => name === 'starling.bot.quarantined',
    );
    expect(counted.map(({ attributes }) => attributes.source)).toEqual(['outlook']);
  });
});

describe('a process that takes waiting questions over', () => {
  /** A line of the first process, which is then gone. */
  async function takenOver() {
    const { bench, id, taken } = await waitingBench();
    await tell(bench, at(taken, 11, 8_000));
    await bench.bot[Symbol.asyncDispose]();
    const second = await startBot(bench.parts);
    await bench.settle();
    return { bench, id, taken, second };
  }

  it('goes on with the line, then with the answer, in the same message [B6] [A6]', async () => {
    const { bench, id, second, taken } = await takenOver();
    await using _ = bench;
    await using __ = second;
    await tell(bench, at(taken, 2, 3_000));
    expect(bench.discord.texts).toEqual(['In line: place 3, about 3 s']);
    // The gateway replays what it is not sure we have seen.
    bench.discord.say('tell me', { id });
    await bench.frame(taken.job, 0, 'One');
    expect(bench.discord.texts).toEqual(['One']);
    expect(await bench.result(taken, done('One two.'))).toBe('delivered');
    expect(bench.discord.shown).toMatchObject([{ content: 'One two.', replyTo: id }]);
    expect(bench.exchanges).toMatchObject([{ ending: { kind: 'answered' }, posts: 0 }]);
    expect(second.snapshot.openAnswers).toBe(0);
  });

  it('finds the line although its post was never recorded', async () => {
    const { bench, taken } = await waitingBench();
    await using _ = bench;
    bench.discord.failNext('post', 'unavailable', { afterwards: true });
    await tell(bench, at(taken, 11));
    await bench.bot[Symbol.asyncDispose]();
    expect(await bench.ledger.posts.read(taken.job.jobId)).toEqual([]);
    await using _second = await startBot(bench.parts);
    await bench.settle();
    await tell(bench, at(taken, 2));
    expect(bench.discord.texts).toEqual(['In line: place 3']);
  });

  it('replaces the line by the answer also when it was told nothing more', async () => {
    const { bench, second, taken } = await takenOver();
    await using _ = bench;
    await using __ = second;
    expect(await bench.result(taken, done('Hi.'))).toBe('delivered');
    expect(bench.discord.shown).toMatchObject([{ content: 'Hi.', stop: undefined }]);
  });

  it('puts no line in the place of text, and keeps that text when it is stopped', async () => {
    const { bench, taken } = await waitingBench();
    await using _ = bench;
    await bench.frame(taken.job, 0, 'Half an ans');
    await bench.bot[Symbol.asyncDispose]();
    await using _second = await startBot(bench.parts);
    await bench.settle();
    await tell(bench, at(taken, 2, 3_000));
    expect(bench.discord.texts).toEqual(['Half an ans']);
    bench.discord.press({ jobId: taken.job.jobId, asker: ada });
    await bench.settle();
    expect(bench.cancels).toEqual([{ jobId: taken.job.jobId, reason: 'user' }]);
    expect(bench.discord.texts).toEqual(['Half an ans']);
    await bench.end(
      taken,
      { kind: 'failed', code: 'cancelled', partialText: 'Half an answ' },
      'frame',
    );
    await bench.clock.advance(1_000);
    expect(bench.discord.texts[0]).toMatch(/^Half an answ\n\nStopped/);
    expect(bench.discord.shown).toMatchObject([{ stop: undefined }]);
  });

  it('shows one answer when the end comes while the line is looked for [A6]', async () => {
    const { bench, second, taken } = await takenOver();
    await using _ = bench;
    await using __ = second;
    const found = Promise.withResolvers<void>();
    const fetchAfter = bench.discord.fetchAfter.bind(bench.discord);
    bench.discord.fetchAfter = async (...args) => {
      await found.promise;
      return await fetchAfter(...args);
    };
    await tell(bench, at(taken, 2, 3_000));
    await bench.end(taken, done('Hi.'), 'frame');
    await bench.settle();
    found.resolve();
    await bench.clock.advance(1_000);
    expect(bench.discord.texts).toEqual(['Hi.']);
    await bench.clock.advance(100_000);
    expect(bench.discord.texts).toEqual(['Hi.']);
    expect(bench.exchanges).toHaveLength(1);
    expect(second.snapshot.openAnswers).toBe(0);
  });

  it('takes the line away when the question was deleted, also by the end of its job', async () => {
    const { bench, id, second, taken } = await takenOver();
    await using _ = bench;
    await using __ = second;
    bench.discord.delete(id);
    await bench.settle();
    expect(bench.cancels).toEqual([{ jobId: id, reason: 'message_deleted' }]);
    await bench.end(taken, { kind: 'failed', code: 'cancelled', partialText: '' }, 'frame');
    await bench.clock.advance(1_000);
    expect(bench.discord.texts).toEqual([]);
    expect(await bench.store.size()).toBe(0);
  });

  it('that ends meanwhile leaves no timer behind', async () => {
    const { bench, second, taken } = await takenOver();
    await using _ = bench;
    const found = Promise.withResolvers<readonly never[]>();
    bench.discord.fetchAfter = () => found.promise;
    await tell(bench, at(taken, 2, 3_000));
    await second[Symbol.asyncDispose]();
    found.resolve([]);
    await bench.settle();
    expect(second.snapshot.openAnswers).toBe(0);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it('ends it honestly at its deadline', async () => {
    const { bench, second, taken } = await takenOver();
    await using _ = bench;
    await using __ = second;
    await tell(bench, at(taken, 2, 3_000));
    await bench.clock.advance(66_000);
    expect(bench.discord.texts[0]).toMatch(/could not answer this in time/);
  });
});

describe('a fleet whose slots are taken', () => {
  it('tells who waits, and answers them in their turn [B6]', async () => {
    await using bench = await openBench();
    const { bus, clock, discord } = bench;
    const random = bench.parts.random;
    const provider = new FakeProvider({
      clock,
      script: () => [{ kind: 'wait', ms: 5_000 }, ...answerOf('Hello ', 'world')],
    });
    const delivery = { ...parseConfig(deliverySection, {}), ...parseConfig(sharingSection, {}) };
    const slots = { STARLING_WORKER_SLOTS: '1' };
    const parts = { bus, clock, random };
    const worker = await startWorker({
      ...{ ...parts, provider, workerId: workerId.parse('w0') },
      config: { ...parseConfig(workerSection, slots), ...delivery },
    });
    const balancer = await startBalancer({
      ...{ ...parts, balancerId: balancerId.parse('b0') },
      config: { ...parseConfig({ ...admissionSection, ...balancerSection }, {}), ...delivery },
    });
    await clock.advance(1_000);
    for (const user of ['1', '2', '3']) {
      discord.sayDirectly('hi', {
        author: { id: `40000000000000010${user}`, username: user },
        channel_id: `20000000000000010${user}`,
      });
    }
    await clock.advance(1_400);
    expect(discord.texts).toEqual([]);
    await clock.advance(1_600);
    expect(discord.texts.toSorted()).toEqual(['In line: place 2', 'Next in line']);
    await clock.advance(5_000);
    // The second one runs by now; the third is next.
    expect(discord.texts.toSorted()).toEqual(['Hello world', 'Next in line', 'Next in line']);
    await clock.advance(15_000);
    expect(discord.texts).toEqual(['Hello world', 'Hello world', 'Hello world']);
    expect(await bench.store.size()).toBe(0);
    const leaving = Promise.all([worker, balancer].map((role) => role[Symbol.asyncDispose]()));
    await clock.advance(1_000);
    await leaving;
  });
});
