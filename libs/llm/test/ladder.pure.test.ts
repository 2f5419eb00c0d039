import { seededRandom } from '@starling/clock';
import { describe, expect, it } from 'vitest';
import { answerOf } from '../src/testing.ts';
import { fails, LadderBench, type Script } from './ladder-bench.ts';

const answers: Script = () => answerOf('Hi');
const silence = { code: 'provider_timeout', detail: 'first_token_timeout' } as const;
const refusedKey = { detail: 'http_401', retryable: false } as const;
const limited = { code: 'provider_limited', detail: 'http_429' } as const;

/** A ladder of two steps, each with one key. */
const twoRungs = (first: Script, second: Script) =>
  new LadderBench([[{ model: 'a', script: first }], [{ model: 'b', script: second }]]);

describe('a ladder', () => {
  it('steps down before the first text, at once and without a retry, and says who spoke [C6]', async () => {
    const bench = twoRungs(() => fails(), answers);
    const parts = await bench.ask();
    expect(parts.at(-1)).toMatchObject({ kind: 'finish', provider: 'b-house' });
    expect(bench.retries).toEqual([]);
    expect(bench.clock.monotonicMs()).toBe(0);
    expect(bench.rungCalls).toMatchObject([
      { model: 'a', ended: 'failed', fault: { detail: 'http_500' } },
      { model: 'b', ended: 'answered' },
    ]);
    expect(bench.fakes.get('b ')?.calls[0]?.request.model).toBe('b');
  });

  it('steps down for what this rung alone refuses, and for nothing that all would [C6]', async () => {
    for (const detail of ['http_401', 'http_402', 'http_403', 'http_404', 'connection_refused']) {
      const bench = twoRungs(() => fails({ detail, retryable: false }), answers);
      expect((await bench.ask()).at(-1)).toMatchObject({ kind: 'finish' });
    }
    const refused = { code: 'provider_refused', detail: 'http_400', retryable: false } as const;
    const bench = twoRungs(() => fails(refused), answers);
    for (let n = 0; n < 30; n += 1) {
      expect(await bench.ask()).toMatchObject([{ kind: 'error', fault: refused }]);
    }
    // A refused request is not counted: the rung is asked each time.
    expect([bench.calls('a'), bench.calls('b')]).toEqual([30, 0]);
  });

  it('fails over from silence, and does not dial that rung again [C6]', async () => {
    const bench = twoRungs(
      () => [{ kind: 'wait', ms: 8_000 }, ...fails(silence)],
      (call) => (call === 0 ? fails() : answerOf('Hi')),
    );
    expect((await bench.ask()).at(-1)).toMatchObject({ kind: 'finish', provider: 'b-house' });
    expect([bench.calls('a'), bench.calls('b')]).toEqual([1, 2]);
  });

  it('does not run again what was seen [C6]', async () => {
    const bench = twoRungs(() => [{ kind: 'text', text: 'Half' }, ...fails()], answers);
    expect((await bench.ask()).map(({ kind }) => kind)).toEqual(['text', 'error']);
    expect(bench.calls('b')).toBe(0);
    // It counts as a fault all the same.
    await bench.ask();
    await bench.ask();
    expect([bench.calls('a'), bench.calls('b')]).toEqual([2, 1]);
  });

  it('begins a further attempt a step lower, and comes round [C6]', async () => {
    const bench = twoRungs(answers, answers);
    for (const attempt of [1, 2, 3]) await bench.ask({ attempt });
    expect(bench.rungCalls.map(({ model }) => model)).toEqual(['a', 'b', 'a']);
  });

  it('remembers a dead rung: no message pays for it until one probe finds it well [C5] [C6]', async () => {
    let dead = true;
    const bench = twoRungs(
      () => (dead ? [{ kind: 'wait', ms: 8_000 }, ...fails(silence)] : answerOf('Hi')),
      answers,
    );
    await bench.ask();
    await bench.ask();
    const openedAtMs = bench.clock.monotonicMs();
    for (let n = 0; n < 50; n += 1) await bench.ask();
    expect(bench.clock.monotonicMs()).toBe(openedAtMs);
    expect(bench.calls('a')).toBe(2);
    dead = false;
    await bench.clock.advance(15_000);
    await Promise.all([bench.ask(), bench.ask(), bench.ask()]);
    expect(bench.rungCalls.filter(({ as }) => as === 'probe')).toHaveLength(1);
    await bench.ask();
    expect(bench.rungCalls.at(-1)).toMatchObject({ model: 'a', as: 'usual' });
  });

  it('serves by the least bad rung when every one is open [C5]', async () => {
    let dead = true;
    const bench = twoRungs(
      () => fails(),
      () => (dead ? fails() : answerOf('Hi')),
    );
    await bench.ask();
    dead = false;
    // Both failed as often; a is probed the sooner, and so is tried first.
    expect((await bench.ask()).at(-1)).toMatchObject({ kind: 'finish', provider: 'b-house' });
  });

  it('leaves a key alone for as long as the provider asks, without opening [C5]', async () => {
    const bench = new LadderBench([
      [
        { model: 'a', key: 'one', script: () => fails({ ...limited, retryAfterMs: 20_000 }) },
        { model: 'a', key: 'two', script: answers },
      ],
    ]);
    for (let n = 0; n < 20; n += 1) await bench.ask();
    expect(bench.calls('a', 'one')).toBe(1);
    await bench.clock.advance(20_001);
    // Not open: it is asked as usual, without a probe.
    for (let n = 0; n < 8 && bench.calls('a', 'one') === 1; n += 1) await bench.ask();
    expect(bench.calls('a', 'one')).toBe(2);
    expect(bench.rungCalls.every(({ as }) => as === 'usual')).toBe(true);
  });

  it('leaves a key alone for twice as long each time that it is over its limit [C5]', async () => {
    const bench = twoRungs(() => fails(limited), answers);
    const { key } = bench.board.health.of({ id: 'a-house  a', keyId: 'a-house ' });
    for (const restMs of [500, 1_000, 2_000]) {
      // Of calls that were under way together one counts.
      await Promise.all([bench.ask(), bench.ask(), bench.ask()]);
      expect(key.restMs(bench.clock.monotonicMs())).toBe(restMs);
      await bench.clock.advance(restMs);
    }
  });

  it('waits for the key that is free first when all rest [C4]', async () => {
    const bench = twoRungs(
      (call) => (call === 0 ? fails({ ...limited, retryAfterMs: 9_000 }) : answerOf('Hi')),
      (call) => (call === 0 ? fails({ ...limited, retryAfterMs: 3_000 }) : answerOf('Hi')),
    );
    expect((await bench.ask()).at(-1)).toMatchObject({ kind: 'finish', provider: 'b-house' });
    expect(bench.retries.map(({ delayMs }) => delayMs)).toEqual([3_250]);
    const late = twoRungs(
      () => fails({ ...limited, retryAfterMs: 90_000 }),
      () => fails({ ...limited, retryAfterMs: 90_000 }),
    );
    await late.ask();
    expect(await late.ask()).toMatchObject([
      { kind: 'error', fault: { detail: 'every_key_rests' } },
    ]);
    expect([late.calls('a'), late.calls('b')]).toEqual([1, 1]);
  });

  it('waits for a key that rests rather than for one that is out [C4] [C5]', async () => {
    const bench = twoRungs(
      () => fails(refusedKey),
      (call) => (call === 0 ? fails({ ...limited, retryAfterMs: 5_000 }) : answerOf('Hi')),
    );
    expect((await bench.ask()).at(-1)).toMatchObject({ kind: 'finish', provider: 'b-house' });
    expect([bench.calls('a'), bench.calls('b')]).toEqual([1, 2]);
    // One that came while it rested waits as well.
    const other = twoRungs(() => fails(refusedKey), answers);
    other.board.health.of({ id: 'a-house  a', keyId: 'a-house ' }).key.refused(0);
    other.board.health.of({ id: 'b-house  b', keyId: 'b-house ' }).key.rest(5_000, 0);
    expect((await other.ask()).at(-1)).toMatchObject({ kind: 'finish', provider: 'b-house' });
    expect(other.calls('a')).toBe(0);
  });

  it('takes a refused key out: of three one is dead, and few requests touch it [C5]', async () => {
    const key = (name: string, script: Script) => ({ model: 'a', key: name, script });
    const bench = new LadderBench(
      [[key('one', answers), key('dead', () => fails(refusedKey)), key('two', answers)]],
      { random: seededRandom(3) },
    );
    for (let n = 0; n < 100; n += 1) {
      expect((await bench.ask()).at(-1)).toMatchObject({ kind: 'finish' });
    }
    expect(bench.calls('a', 'dead')).toBe(1);
    await bench.clock.advance(300_000);
    for (let n = 0; n < 100; n += 1) await bench.ask();
    expect(bench.calls('a', 'dead')).toBe(2);
  });

  it('spreads calls over the keys of a step by their open streams [C6]', async () => {
    const slow: Script = () => [{ kind: 'wait', ms: 1_000 }, ...answerOf('Hi')];
    const keys = ['one', 'two', 'three'];
    const bench = new LadderBench([keys.map((key) => ({ model: 'a', key, script: slow }))]);
    await Promise.all(Array.from({ length: 9 }, () => bench.ask()));
    expect(keys.map((key) => bench.calls('a', key))).toEqual([3, 3, 3]);
  });

  it('moves a rung that is twice as bad behind the next, and keeps a twentieth as probes [C6]', async () => {
    const random = seededRandom(7);
    const flaky: Script = () => (random.next() < 0.3 ? fails() : answerOf('Hi'));
    const bench = new LadderBench(
      [[{ model: 'a', script: flaky }], [{ model: 'b', script: answers }]],
      { random },
    );
    for (let n = 0; n < 100; n += 1) {
      expect((await bench.ask()).at(-1)).toMatchObject({ kind: 'finish' });
      await bench.clock.advance(100);
    }
    const before = bench.calls('a');
    for (let n = 0; n < 1_000; n += 1) {
      await bench.ask();
      await bench.clock.advance(100);
    }
    const probes = bench.calls('a') - before;
    expect(probes).toBeGreaterThan(20);
    expect(probes).toBeLessThan(120);
    const calls = bench.rungCalls.length - 100;
    expect(calls / 1_000).toBeLessThan(1.15);
  });

  it('says what an answer cost by the price of the rung that gave it [C8]', async () => {
    const price = { promptPerMillion: 100_000, completionPerMillion: 200_000 };
    const bench = new LadderBench([
      [
        {
          model: 'a',
          price: { promptPerMillion: 1, completionPerMillion: 1 },
          script: () => fails(),
        },
      ],
      [{ model: 'b', price, script: () => answerOf('Hel', 'lo') }],
    ]);
    // Three LLM tokens of prompt and two of answer.
    expect((await bench.ask()).at(-1)).toMatchObject({ costUsd: 0.7 });
    expect(bench.used).toMatchObject([{ rung: { model: 'b' }, costUsd: 0.7 }]);
    const free = twoRungs(answers, answers);
    expect((await free.ask()).at(-1)).not.toHaveProperty('costUsd');
    expect(free.used).toMatchObject([{ rung: { model: 'a' }, usage: { promptTokens: 3 } }]);
  });

  it('has nothing for a model that is not configured', async () => {
    const bench = twoRungs(answers, answers);
    expect(await bench.ask({ model: 'other' })).toMatchObject([
      { kind: 'error', fault: { code: 'model_not_found' } },
    ]);
  });

  it.each([
    ['one of two rungs', 0.3, 0, 0.999, 1.15],
    ['both rungs', 0.3, 0.3, 0.99, 1.6],
  ])(
    'answers nearly all with %s failing before the first text [C5] [C6]',
    async (_, a, b, least, most) => {
      const random = seededRandom(11);
      const flaky =
        (share: number): Script =>
        () =>
          random.next() < share ? fails() : answerOf('Hi');
      const bench = new LadderBench(
        [[{ model: 'a', script: flaky(a) }], [{ model: 'b', script: flaky(b) }]],
        { random },
      );
      let answered = 0;
      let before = 0;
      for (let n = 0; n < 2_100; n += 1) {
        if (n === 100) before = bench.rungCalls.length;
        const parts = await bench.ask();
        if (n >= 100 && parts.at(-1)?.kind === 'finish') answered += 1;
        await bench.clock.advance(50);
      }
      expect(answered / 2_000).toBeGreaterThanOrEqual(least);
      expect((bench.rungCalls.length - before) / 2_000).toBeLessThanOrEqual(most);
    },
  );
});
