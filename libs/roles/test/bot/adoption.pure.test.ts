import { describe, expect, it } from 'vitest';
import { startBot } from '../../src/bot/index.ts';
import { done, openBench } from './bot-bench.ts';
import { ada } from './fake-discord.ts';

type Difference = Parameters<typeof openBench>[0] & { readonly said?: string };

/** A bench whose first bot died after it had accepted a question and shown `said` of its answer. */
async function orphaned({ said, ...difference }: Difference = {}) {
  const bench = await openBench(difference);
  const id = bench.discord.say('tell me');
  const taken = await bench.take();
  if (said) await bench.frame(taken.job, 0, said);
  await bench.bot[Symbol.asyncDispose]();
  await bench.clock.advance(1_000);
  bench.resends.length = 0;
  return { bench, id, taken, target: { jobId: taken.job.jobId, asker: ada } };
}

describe('an answer that an earlier process began', () => {
  it('is typed at, streamed on in the message that stands there, and ended [A6] [A9]', async () => {
    const { bench, taken } = await orphaned({ said: 'One' });
    await using _ = bench;
    const typed = bench.discord.typings;
    await using second = await startBot(bench.parts);
    await bench.settle();
    expect(second.snapshot.openAnswers).toBe(1);
    expect(bench.discord.typings).toBe(typed + 1);
    await bench.frame(taken.job, 1, ' two');
    expect(bench.resends).toEqual([{ jobId: taken.job.jobId, attempt: 1, from: 0 }]);
    for (const [sequence, text] of ['One', ' two', ' three'].entries()) {
      await bench.frame(taken.job, sequence, text);
    }
    expect(bench.discord.texts).toEqual(['One two three']);
    expect(bench.discord.shown[0]?.stop).toMatchObject({ asker: ada });
    await bench.clock.advance(10_000);
    expect(bench.discord.typings).toBe(typed + 1);
    expect(await bench.result(taken, done('One two three four.'))).toBe('delivered');
    expect(bench.discord.texts).toEqual(['One two three four.']);
    expect(bench.exchanges).toMatchObject([{ ending: { kind: 'answered' }, posts: 0 }]);
    expect(second.snapshot.openAnswers).toBe(0);
  });

  it('is shown as a reply when nothing was shown of it yet [A6]', async () => {
    const { bench, id, taken } = await orphaned();
    await using _ = bench;
    await using _second = await startBot(bench.parts);
    await bench.settle();
    await bench.frame(taken.job, 0, 'One');
    expect(bench.discord.shown).toMatchObject([{ content: 'One', replyTo: id }]);
    await bench.result(taken, done('One two.'));
    expect(bench.discord.texts).toEqual(['One two.']);
  });

  it('writes nothing until the channel could be looked through', async () => {
    const { bench, taken } = await orphaned({ said: 'One' });
    await using _ = bench;
    await using _second = await startBot(bench.parts);
    await bench.settle();
    bench.discord.failNext('fetchAfter', 'unavailable');
    await bench.frame(taken.job, 0, 'One two');
    await bench.frame(taken.job, 1, ' three');
    expect(bench.discord.texts).toEqual(['One']);
    await bench.clock.advance(1_000);
    await bench.frame(taken.job, 2, ' four');
    expect(bench.discord.texts).toEqual(['One two three four']);
    expect(bench.discord.shown).toHaveLength(1);
  });

  it('is stopped by its button, with what was said until then [A10]', async () => {
    const { bench, taken, target } = await orphaned({ said: 'One' });
    await using _ = bench;
    await using _second = await startBot(bench.parts);
    await bench.settle();
    await bench.frame(taken.job, 0, 'One two');
    bench.discord.press(target);
    await bench.settle();
    expect(bench.cancels[0]).toEqual({ jobId: taken.job.jobId, reason: 'user' });
    expect(bench.discord.texts).toEqual([expect.stringMatching(/^One two\n\nStopped · id/)]);
    expect(bench.exchanges[0]?.ending).toEqual({ kind: 'failed', code: 'cancelled' });
  });

  it('fails honestly at its own deadline, in its place, and a late result replaces that', async () => {
    const { bench, taken } = await orphaned({ said: 'One' });
    await using _ = bench;
    await using _second = await startBot(bench.parts);
    bench.discord.failNext('fetchAfter', 'unavailable');
    await bench.clock.advance(70_000);
    expect(bench.discord.texts).toEqual(['One']);
    await bench.clock.advance(15_000);
    expect(bench.discord.texts).toEqual([expect.stringContaining('in time')]);
    expect(await bench.result(taken, done('At last.'))).toBe('delivered');
    expect(bench.discord.texts).toEqual(['At last.']);
  });

  it('is gone on with although the gateway replays its question first', async () => {
    const { bench, id, taken } = await orphaned({ said: 'One' });
    await using _ = bench;
    const list = bench.parts.jobs.store.list;
    const listed = Promise.withResolvers<void>();
    const store = {
      ...bench.parts.jobs.store,
      list: () => listed.promise.then(() => list()),
    };
    await using second = await startBot({ ...bench.parts, jobs: { ...bench.parts.jobs, store } });
    bench.discord.say('tell me', { id });
    await bench.settle();
    await bench.frame(taken.job, 0, 'One two');
    expect(bench.discord.texts).toEqual(['One two']);
    listed.resolve();
    await bench.settle();
    expect(second.snapshot.openAnswers).toBe(1);
  });
});

describe('a question of an earlier process that is deleted', () => {
  it('stops its job, and leaves nothing where nothing was shown [F10]', async () => {
    const { bench, id, taken } = await orphaned();
    await using _ = bench;
    await using _second = await startBot(bench.parts);
    await bench.settle();
    bench.discord.delete(id);
    await bench.settle();
    expect(bench.cancels).toEqual([{ jobId: id, reason: 'message_deleted' }]);
    const cancelled = { kind: 'failed', code: 'cancelled', partialText: 'One' } as const;
    expect(await bench.result(taken, cancelled)).toBe('delivered');
    expect(bench.discord.texts).toEqual([]);
  });

  it('stops its job although it was deleted before the job was found', async () => {
    const { bench, id, taken } = await orphaned({ said: 'One' });
    await using _ = bench;
    const starting = startBot(bench.parts);
    await using _second = await starting;
    bench.discord.delete(id);
    await bench.settle();
    expect(bench.cancels).toEqual([{ jobId: id, reason: 'message_deleted' }]);
    const cancelled = { kind: 'failed', code: 'cancelled', partialText: 'One two' } as const;
    expect(await bench.result(taken, cancelled)).toBe('delivered');
    expect(bench.discord.texts).toEqual([expect.stringMatching(/^One two\n\nStopped · id/)]);
  });

  it('stops its job although there was no room to open it', async () => {
    const { bench, id } = await orphaned({ said: 'One' });
    await using _ = bench;
    const config = { ...bench.parts.config, answersPerCluster: 0 };
    await using second = await startBot({ ...bench.parts, config });
    await bench.settle();
    expect(second.snapshot.openAnswers).toBe(0);
    bench.discord.delete(id);
    await bench.settle();
    expect(bench.cancels).toEqual([{ jobId: id, reason: 'message_deleted' }]);
  });
});
