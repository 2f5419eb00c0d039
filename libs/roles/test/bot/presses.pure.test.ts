import { balancerId, encode, subjects, userId, wakeContract } from '@starling/contracts';
import { failedEnd } from '@starling/jobs';
import { describe, expect, it } from 'vitest';
import { startBot } from '../../src/bot/index.ts';
import { cluster, done, openBench } from './bot-bench.ts';
import { ada } from './fake-discord.ts';

const bob = userId.parse('400000000000000001');
const stopped = /^Stopped · id [0-9a-f]{8}$/;
const ended = /^This answer has ended already · id [0-9a-f]{8}$/;

/** A bench with one answer that streams. */
async function streamingBench(...args: Parameters<typeof openBench>) {
  const bench = await openBench(...args);
  bench.discord.say('tell me');
  const taken = await bench.take();
  await bench.frame(taken.job, 0, 'One');
  const { jobId } = taken.job;
  const cancelled = () =>
    bench.end(taken, { kind: 'failed', code: 'cancelled', partialText: 'One two' }, 'frame');
  return { bench, taken, cancelled, target: { jobId, asker: ada } };
}

describe('the Stop button', () => {
  it('stands below an answer that streams, and goes with its last edit [A10]', async () => {
    const { bench, taken, target } = await streamingBench();
    await using _ = bench;
    expect(bench.discord.shown[0]?.stop).toEqual(target);
    expect(await bench.result(taken, done('One'))).toBe('delivered');
    expect(bench.discord.shown[0]).toMatchObject({ content: 'One', stop: undefined, edits: 1 });
    expect(bench.exchanges[0]?.firstTextMs).toBe(0);
  });

  it('stops the job, keeps what was said, and is acknowledged at once [A10]', async () => {
    const { bench, cancelled, taken, target } = await streamingBench();
    await using _ = bench;
    const press = bench.discord.press(target);
    await bench.settle();
    expect(bench.discord.said).toEqual([{ kind: 'acknowledge', interaction: press }]);
    expect(bench.cancels[0]).toEqual({ jobId: taken.job.jobId, reason: 'user' });
    expect(bench.discord.shown).toMatchObject([{ stop: undefined }]);
    expect(bench.discord.texts[0]).toMatch(/^One\n\nStopped · id [0-9a-f]{8}$/);
    expect(bench.exchanges[0]?.ending).toEqual({ kind: 'failed', code: 'cancelled' });
    await cancelled();
    await bench.clock.advance(5_000);
    expect(bench.discord.texts[0]).toMatch(/^One\n\nStopped/);
    expect(await bench.store.size()).toBe(0);
    expect(bench.discord.said).toHaveLength(1);
    const span = bench.telemetry.spans.find(({ name }) => name === 'press');
    const message = bench.telemetry.spans.find(({ name }) => name === 'message');
    expect(span?.spanContext().traceId).toBe(message?.spanContext().traceId);
    expect(span?.attributes['starling.press.outcome']).toBe('stopped');
  });

  it('ends the job itself when nobody heard that it was cancelled [A10]', async () => {
    const { bench, taken, target } = await streamingBench();
    await using _ = bench;
    bench.discord.press(target);
    await bench.clock.advance(5_000);
    const read = await bench.ledger.read(taken.job.jobId);
    expect(read).toMatchObject({ end: { result: { outcome: { code: 'cancelled' } } } });
    expect(await bench.store.size()).toBe(0);
    expect(bench.discord.texts).toHaveLength(1);
  });

  it('pressed twice is acknowledged twice, and shows one ending', async () => {
    const { bench, cancelled, target } = await streamingBench();
    await using _ = bench;
    bench.discord.editWaitMs = 1_000;
    for (let press = 0; press < 2; press += 1) bench.discord.press(target);
    await cancelled();
    await bench.clock.advance(5_000);
    expect(bench.discord.said.map(({ kind }) => kind)).toEqual(['acknowledge', 'acknowledge']);
    expect(bench.discord.texts).toEqual([expect.stringMatching(/^One\n\nStopped/)]);
    expect(bench.exchanges).toHaveLength(1);
  });

  it('is for its asker and those who manage messages; others get a calm word [A10] [D5]', async () => {
    const { bench, taken, target } = await streamingBench();
    await using _ = bench;
    bench.discord.press(target, { member: { user: { id: bob }, permissions: '2048' } });
    await bench.settle();
    expect(bench.discord.said).toMatchObject([
      {
        kind: 'reply',
        text: expect.stringMatching(/^Only the person who asked.* · id [0-9a-f]{8}$/),
      },
    ]);
    expect(bench.cancels).toEqual([]);
    await bench.frame(taken.job, 1, ' two');
    expect(bench.discord.texts).toEqual(['One two']);
    bench.discord.press(target, { member: { user: { id: bob }, permissions: '8192' } });
    await bench.settle();
    expect(bench.discord.said[1]?.kind).toBe('acknowledge');
    expect(bench.discord.texts[0]).toMatch(/^One two\n\nStopped/);
  });

  it('of an answer that has ended is taken away, with a calm word [A10]', async () => {
    const { bench, taken, target } = await streamingBench();
    await using _ = bench;
    await bench.result(taken, done('One'));
    bench.discord.press(target);
    await bench.settle();
    expect(bench.discord.said.map(({ kind }) => kind).sort()).toEqual([
      'acknowledge',
      'clearButtons',
      'followUp',
    ]);
    expect(bench.discord.said.find(({ text }) => text)?.text).toMatch(ended);
    expect(bench.cancels).toEqual([]);
    expect(bench.discord.texts).toEqual(['One']);
  });

  it('pressed while the end is being written changes nothing of it', async () => {
    const { bench, taken, target } = await streamingBench();
    await using _ = bench;
    bench.discord.editWaitMs = 1_000;
    await bench.result(taken, done('One two.'), { advanceMs: 500 });
    bench.discord.press(target);
    await bench.clock.advance(2_000);
    expect(bench.discord.texts).toEqual(['One two.']);
    expect(bench.discord.said.map(({ kind }) => kind)).toEqual(['acknowledge']);
    expect(bench.exchanges).toMatchObject([{ ending: { kind: 'answered' } }]);
  });

  it('is acknowledged although Discord fails at first, and harms nobody when it is too late', async () => {
    const { bench, target } = await streamingBench();
    await using _ = bench;
    bench.discord.failNext('acknowledge', 'unavailable', { times: 2 });
    bench.discord.press(target);
    await bench.clock.advance(600);
    expect(bench.discord.said.map(({ kind }) => kind)).toEqual(['acknowledge']);
    bench.discord.say('again');
    const second = await bench.take();
    await bench.frame(second.job, 0, 'Two');
    bench.discord.failNext('acknowledge', 'gone');
    bench.discord.press({ jobId: second.job.jobId, asker: ada });
    await bench.settle();
    expect(bench.discord.texts[1]).toMatch(/^Two\n\nStopped/);
  });

  it('says so when the fleet cannot be reached', async () => {
    const { bench, target } = await streamingBench();
    await using _ = bench;
    await bench.bot[Symbol.asyncDispose]();
    await using _second = await startBot(bench.parts);
    await bench.settle();
    await bench.bus[Symbol.asyncDispose]();
    bench.discord.press(target);
    await bench.clock.advance(1_000);
    expect(bench.discord.said.map(({ kind }) => kind)).toEqual(['acknowledge', 'followUp']);
    expect(bench.discord.said[1]?.text).toMatch(/could not stop this answer just now.* · id/);
  });
});

describe('the Stop button of an earlier process', () => {
  it('stops what a worker still runs; the message keeps all that it said [A10]', async () => {
    const { bench, cancelled, taken, target } = await streamingBench();
    await using _ = bench;
    await bench.bot[Symbol.asyncDispose]();
    await using _second = await startBot(bench.parts);
    await bench.settle();
    bench.discord.press(target);
    await bench.settle();
    expect(bench.discord.said.map(({ kind }) => kind)).toEqual(['acknowledge']);
    expect(bench.cancels).toEqual([{ jobId: taken.job.jobId, reason: 'user' }]);
    await cancelled();
    await bench.clock.advance(2_000);
    expect(bench.discord.texts[0]).toMatch(/^One two\n\nStopped · id/);
    expect(bench.discord.shown).toMatchObject([{ stop: undefined }]);
    expect(await bench.store.size()).toBe(0);
    expect(bench.discord.said).toHaveLength(1);
  });

  it('stops what still waits', async () => {
    const { bench, taken, target } = await streamingBench();
    await using _ = bench;
    await bench.bot[Symbol.asyncDispose]();
    await using _second = await startBot(bench.parts);
    await bench.settle();
    bench.discord.press(target);
    await bench.settle();
    // As a balancer does with a job that waits.
    const { jobId } = taken.job;
    const why = { code: 'cancelled', attempt: 0, endedBy: balancerId.parse('b0') } as const;
    await bench.ledger.end(
      jobId,
      failedEnd(taken.job, { ...why, atMs: bench.clock.nowMs() }),
      undefined,
    );
    const wake = encode(wakeContract, { jobId, stored: taken.stored });
    bench.bus.messaging.publish(subjects.wake(cluster), wake);
    await bench.clock.advance(2_000);
    expect(bench.discord.texts[0]).toMatch(stopped);
    expect(bench.discord.shown).toMatchObject([{ stop: undefined }]);
    expect(await bench.store.size()).toBe(0);
  });

  it('of an answer that was delivered is taken away, with a calm word', async () => {
    const { bench, taken, target } = await streamingBench();
    await using _ = bench;
    await bench.result(taken, done('One'));
    await bench.bot[Symbol.asyncDispose]();
    await using _second = await startBot(bench.parts);
    await bench.settle();
    bench.discord.press(target);
    await bench.clock.advance(1_000);
    expect(bench.discord.said.map(({ kind }) => kind).sort()).toEqual([
      'acknowledge',
      'clearButtons',
      'followUp',
    ]);
    expect(bench.discord.texts).toEqual(['One']);
    const span = bench.telemetry.spans.find(({ name }) => name === 'press');
    expect(bench.discord.said.find(({ text }) => text)?.text).toContain(
      `id ${span?.spanContext().traceId.slice(0, 8)}`,
    );
  });
});

describe('an interaction that is not ours', () => {
  it('is answered calmly and counted [F10]', async () => {
    const { bench, target } = await streamingBench();
    await using _ = bench;
    const strange = [
      { data: { custom_id: 'regenerate:1' } },
      { data: { custom_id: `stop:${target.jobId}` } },
      { data: { custom_id: `stop:${target.jobId}:everybody` } },
      { type: 2, data: { name: 'chat' }, member: undefined, user: { id: ada } },
      { type: 4, data: { name: 'chat' } },
      { token: undefined },
    ];
    for (const difference of strange) bench.discord.press(target, difference);
    await bench.settle();
    const calm = {
      kind: 'reply',
      text: expect.stringMatching(/^That is not something I know · id/),
    };
    const nothing = { kind: 'suggestNothing' };
    expect(bench.discord.said).toMatchObject([calm, calm, calm, calm, nothing]);
    const metrics = await bench.telemetry.metrics();
    const counted = metrics.filter(({ name }) => name === 'starling.bot.interactions');
    expect(counted.map(({ attributes, value }) => [attributes.outcome, value])).toEqual([
      ['unknown', 5],
    ]);
    expect(bench.cancels).toEqual([]);
  });
});
