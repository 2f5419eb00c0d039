import { describe, expect, it } from 'vitest';
import { answerOf } from '../src/testing.ts';
import { fails, LadderBench, type Script } from './ladder-bench.ts';

const quick: Script = () => [{ kind: 'wait', ms: 100 }, ...answerOf('Quick')];
const slow = answerOf('Slow');

/** After 100 quick answers, which earn two hedges' worth and keep one. */
async function bench(first: Script, second: Script): Promise<LadderBench> {
  const made = new LadderBench([
    [{ model: 'a', script: (call) => (call < 100 ? quick(call) : first(call - 100)) }],
    [{ model: 'b', script: second }],
  ]);
  for (let n = 0; n < 100; n += 1) await made.ask({ hedge: true });
  expect(made.calls('b')).toBe(0);
  return made;
}

describe('a second call beside a late one', () => {
  it('is made when the first text is late, and the loser is closed at once [C6]', async () => {
    const late: Script = () => [{ kind: 'wait', ms: 5_000 }, ...slow];
    const made = await bench(late, quick);
    const startedAtMs = made.clock.monotonicMs();
    const parts = await made.ask({ hedge: true });
    expect(parts.at(-1)).toMatchObject({ kind: 'finish', provider: 'b-house' });
    expect(parts.filter(({ kind }) => kind === 'text')).toEqual([{ kind: 'text', text: 'Quick' }]);
    expect(made.clock.monotonicMs() - startedAtMs).toBeLessThanOrEqual(250);
    const loser = made.fakes.get('a ')?.calls.at(-1);
    expect(loser).toMatchObject({ ended: true, abortedAtMs: expect.any(Number) });
    expect(made.rungCalls.slice(-2).map(({ as, ended, model }) => [model, as, ended])).toEqual([
      ['a', 'usual', 'left'],
      ['b', 'hedge', 'answered'],
    ]);
    // It says nothing against the rung that was late.
    expect(made.board.health.of({ id: 'a-house  a', keyId: 'a-house ' }).share.share).toBe(0);
    expect(made.clock.pendingTimers).toBe(0);
  });

  it('loses to a first one that speaks after all [C6]', async () => {
    const made = await bench(
      () => [{ kind: 'wait', ms: 150 }, ...slow],
      () => [{ kind: 'wait', ms: 5_000 }, ...answerOf('Never')],
    );
    expect((await made.ask({ hedge: true })).at(-1)).toMatchObject({ provider: 'a-house' });
    expect(made.fakes.get('b ')?.calls[0]).toMatchObject({ ended: true });
  });

  it('is made for two calls of a hundred at most, and only where somebody waits [C6]', async () => {
    const made = await bench(() => [{ kind: 'wait', ms: 1_000 }, ...slow], quick);
    await made.ask();
    await made.ask({ hedge: true, whole: true });
    expect(made.calls('b')).toBe(0);
    for (let n = 0; n < 10; n += 1) await made.ask({ hedge: true });
    expect(made.calls('b')).toBe(1);
  });

  it('takes the place of a first one that fails late [C6]', async () => {
    const made = await bench(() => [{ kind: 'wait', ms: 150 }, ...fails()], quick);
    expect((await made.ask({ hedge: true })).at(-1)).toMatchObject({ provider: 'b-house' });
    expect(made.calls('b')).toBe(1);
  });

  it('leaves nothing behind when the reader goes away [C6] [A10]', async () => {
    const silent: Script = () => [{ kind: 'wait', ms: 60_000 }, ...slow];
    const made = await bench(silent, silent);
    const abort = new AbortController();
    made.clock.schedule(1_000, () => abort.abort());
    const parts = await made.ask({ hedge: true, signal: abort.signal });
    expect(parts).toMatchObject([{ kind: 'error', fault: { code: 'cancelled' } }]);
    expect(made.calls('b')).toBe(1);
    expect(made.clock.pendingTimers).toBe(0);
  });
});
