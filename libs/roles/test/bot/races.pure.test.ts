import { BusError } from '@starling/bus';
import { clusterId, encode, subjects, wakeContract } from '@starling/contracts';
import { describe, expect, it } from 'vitest';
import { startBot } from '../../src/bot/index.ts';
import { cluster, done, openBench } from './bot-bench.ts';

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

  it('stays there, once delivered, although Discord was away at first [A6] [F10]', async () => {
    await using bench = await openBench();
    bench.discord.say('tell me');
    const taken = await bench.take();
    await bench.clock.advance(65_000);
    expect(bench.discord.texts).toEqual([expect.stringContaining('in time')]);
    bench.discord.failNext('edit', 'unavailable', { times: 7 });
    expect(await bench.result(taken, done('The answer.'), { advanceMs: 30_000 })).toBe('delivered');
    await bench.clock.advance(120_000);
    expect(bench.discord.texts).toEqual(['The answer.']);
    expect(bench.exchanges.map(({ ending }) => ending.kind)).toEqual(['failed', 'answered']);
    expect(bench.bot.snapshot.openAnswers).toBe(0);
  });
});

describe('an end that is told while its job is being looked up', () => {
  it('is looked up again, and shown at once', async () => {
    await using bench = await openBench();
    bench.discord.say('tell me');
    const taken = await bench.take();
    const answered = Promise.withResolvers<void>();
    const read = bench.ledger.read.bind(bench.ledger);
    let reads = 0;
    bench.ledger.read = async (jobId) => {
      const standing = await read(jobId);
      reads += 1;
      if (reads === 1) await answered.promise;
      return standing;
    };
    const { jobId } = taken.job;
    const wake = encode(wakeContract, { jobId, stored: taken.stored });
    bench.bus.messaging.publish(subjects.wake(cluster), wake);
    await bench.settle();
    await bench.end(taken, done('The answer.'), 'frame');
    await bench.settle();
    answered.resolve();
    await bench.settle();
    expect(bench.discord.texts).toEqual(['The answer.']);
    expect(reads).toBe(2);
  });
});

describe('an answer whose last frame was lost', () => {
  it('is found although hundreds wait in silence before it', async () => {
    await using bench = await openBench({ config: { answersPerCluster: 300 } });
    for (let user = 100; user < 350; user += 1) {
      bench.discord.sayDirectly('hi', { author: { id: `400000000000000${user}`, username: 'x' } });
    }
    let last = await bench.take();
    for (let others = 1; others < 250; others += 1) last = await bench.take();
    await bench.end(last, done('The answer.'), 'silently');
    await bench.clock.advance(8_000);
    expect(bench.discord.texts).toEqual(['The answer.']);
  });
});

describe('a question that was stored although the bus never said so', () => {
  it('is refused, and answered in its place when it runs after all', async () => {
    const unheard: Parameters<typeof openBench>[0] = {
      put: async (subject, payload, options) => {
        await bench.store.put(subject, payload, options);
        throw new BusError('timeout', 'no answer');
      },
    };
    await using bench = await openBench(unheard);
    bench.discord.say('tell me');
    const taken = await bench.take();
    await bench.clock.advance(1_000);
    expect(bench.discord.texts).toEqual([expect.stringMatching(/free to answer right now/)]);
    expect(await bench.result(taken, done('The answer.'))).toBe('delivered');
    expect(bench.discord.texts).toEqual(['The answer.']);
  });
});

describe('a question that is replayed after its answer was delivered', () => {
  it('keeps no place of its user, whichever process sees it', async () => {
    await using bench = await openBench();
    for (let asked = 0; asked < 3; asked += 1) {
      const id = bench.discord.say('tell me');
      await bench.result(await bench.take(), done('Hi.'));
      await using _second = await startBot({ ...bench.parts, clusterId: clusterId.parse('c1') });
      bench.discord.say('tell me', { id });
      await bench.settle();
    }
    expect(bench.discord.texts).toEqual(['Hi.', 'Hi.', 'Hi.']);
    bench.discord.say('now really');
    await bench.take();
    expect(bench.exchanges.filter(({ ending }) => ending.kind === 'refused')).toEqual([]);
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
