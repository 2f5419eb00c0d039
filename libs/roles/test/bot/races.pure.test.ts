import { describe, expect, it } from 'vitest';
import { done, openBench } from './bot-bench.ts';

describe('a result that arrives while the failure of its deadline is being written', () => {
  it('comes again and replaces the failure, instead of being lost [A6] [F10]', async () => {
    await using bench = await openBench();
    bench.discord.say('tell me');
    const taken = await bench.take();
    const written = Promise.withResolvers<void>();
    const post = bench.discord.post.bind(bench.discord);
    bench.discord.post = async (...args) => {
      const posted = await post(...args);
      await written.promise;
      return posted;
    };
    await bench.clock.advance(65_000);
    expect(bench.discord.texts).toEqual([expect.stringContaining('in time')]);
    await bench.end(taken, done('The answer.'), 'frame');
    await bench.settle();
    expect(bench.discord.texts).toEqual([expect.stringContaining('in time')]);
    written.resolve();
    await bench.clock.advance(5_000);
    expect(await bench.store.size()).toBe(0);
    expect(bench.discord.texts).toEqual(['The answer.']);
  });
});

describe('a question that is deleted while its context is gathered', () => {
  it('keeps no place of its user', async () => {
    const gathered = Promise.withResolvers<void>();
    const conversations = {
      async recent() {
        await gathered.promise;
        return [];
      },
      async append() {},
    };
    await using bench = await openBench({ conversations });
    for (let asked = 0; asked < 3; asked += 1) {
      const id = bench.discord.say('tell me');
      await bench.settle();
      bench.discord.delete(id);
      await bench.settle();
    }
    gathered.resolve();
    await bench.settle();
    bench.discord.say('now really');
    await bench.take();
    expect(bench.exchanges.filter(({ ending }) => ending.kind === 'refused')).toEqual([]);
  });
});

describe('more questions than a cluster can even refuse', () => {
  it('are left without a word and counted, so that refusals have a bound too', async () => {
    await using bench = await openBench({ config: { answersPerCluster: 5 } });
    const written = Promise.withResolvers<void>();
    const post = bench.discord.post.bind(bench.discord);
    bench.discord.post = async (...args) => {
      await written.promise;
      return await post(...args);
    };
    for (let user = 100; user < 150; user += 1) {
      bench.discord.sayDirectly('hi', { author: { id: `400000000000000${user}`, username: 'x' } });
    }
    await bench.settle();
    expect(bench.bot.snapshot.openAnswers).toBe(10);
    expect(await bench.store.size()).toBe(5);
    written.resolve();
    await bench.settle();
    expect(bench.exchanges).toHaveLength(5);
    const left = (await bench.telemetry.metrics()).find(
      ({ name }) => name === 'starling.bot.left_out',
    );
    expect(left?.value).toBe(40);
  });
});
