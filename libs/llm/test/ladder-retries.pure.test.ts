import type { Random } from '@starling/clock';
import { describe, expect, it } from 'vitest';
import { RetryBudget } from '../src/ladder/retry-budget.ts';
import type { Retry, StreamPart } from '../src/provider.ts';
import { answerOf, type FakeProvider } from '../src/testing.ts';
import { fails, LadderBench, type Script } from './ladder-bench.ts';

describe('a ladder of one rung', () => {
  let bench: LadderBench;
  let fake: FakeProvider;
  let retries: readonly Retry[];

  async function ask(
    script: Script,
    options: { readonly deadlineMs?: number; readonly signal?: AbortSignal; random?: Random } = {},
  ): Promise<StreamPart[]> {
    const { random, ...call } = options;
    bench = new LadderBench([[{ model: 'm', script }]], random && { random });
    fake = bench.fakes.get('m ') as FakeProvider;
    retries = bench.retries;
    return await bench.ask(call);
  }

  it('hides a failed beginning behind a retry [C4]', async () => {
    const parts = await ask((call) => (call === 0 ? fails() : answerOf('Hi')));
    expect(parts[0]).toEqual({ kind: 'text', text: 'Hi' });
    expect(parts.at(-1)?.kind).toBe('finish');
    expect(retries).toHaveLength(1);
  });

  it('calls three times in all and then says calmly why not [C4] [F10]', async () => {
    const parts = await ask(() => fails());
    expect(fake.calls).toHaveLength(3);
    expect(parts).toEqual([
      {
        kind: 'error',
        fault: { code: 'provider_unavailable', detail: 'http_500', retryable: true },
      },
    ]);
    // Full jitter: the longest waits are 250 ms, then 500 ms.
    expect(retries.map(({ delayMs }) => delayMs)).toEqual([250, 500]);
  });

  it('does not run again what was seen [C4]', async () => {
    const parts = await ask(() => [{ kind: 'text', text: 'Half' }, ...fails()]);
    expect(fake.calls).toHaveLength(1);
    expect(parts.map(({ kind }) => kind)).toEqual(['text', 'error']);
  });

  it('does not retry what cannot succeed [C4]', async () => {
    await ask(() => fails({ code: 'provider_refused', retryable: false }));
    expect(fake.calls).toHaveLength(1);
  });

  it('waits as long as the provider asks [C4]', async () => {
    await ask((call) => (call === 0 ? fails({ retryAfterMs: 3_000 }) : answerOf('Hi')), {
      random: { next: () => 0, integer: () => 0 },
    });
    expect(retries.map(({ delayMs }) => delayMs)).toEqual([3_000]);
    expect(fake.calls).toHaveLength(2);
  });

  it('does not wait past the deadline of the job [C4]', async () => {
    const parts = await ask(() => fails({ retryAfterMs: 30_000 }), { deadlineMs: 20_000 });
    expect(fake.calls).toHaveLength(1);
    expect(parts.at(-1)).toMatchObject({ kind: 'error', fault: { retryAfterMs: 30_000 } });
    expect(bench.clock.monotonicMs()).toBeLessThan(1_000);
  });

  it('stops waiting when the caller does', async () => {
    const abort = new AbortController();
    bench = new LadderBench([[{ model: 'm', script: () => fails({ retryAfterMs: 10_000 }) }]]);
    bench.clock.schedule(1_000, () => abort.abort());
    const parts = await bench.ask({ signal: abort.signal });
    expect(parts).toMatchObject([{ kind: 'error', fault: { code: 'cancelled' } }]);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it('is not dialled again for a call that it met with silence [C3] [C4]', async () => {
    const silence = { code: 'provider_timeout', detail: 'first_token_timeout' } as const;
    const parts = await ask(() => [{ kind: 'wait', ms: 8_000 }, ...fails(silence)]);
    expect(fake.calls).toHaveLength(1);
    expect(parts).toMatchObject([{ kind: 'error', fault: silence }]);
  });

  it('goes on serving when its breaker is open: nobody else is there [C5]', async () => {
    await ask((call) => (call < 6 ? fails() : answerOf('Hi')));
    expect(fake.calls).toHaveLength(3);
    await bench.ask();
    expect(fake.calls).toHaveLength(6);
    expect((await bench.ask()).at(-1)).toMatchObject({ kind: 'finish' });
    expect(bench.rungCalls.map(({ as }) => as)).toEqual([
      ...['usual', 'usual', 'forced', 'forced', 'forced', 'forced', 'forced'],
    ]);
  });

  it('spends the budget of its process on retries, and then makes none [C4]', async () => {
    const script = () => fails();
    bench = new LadderBench([[{ model: 'm', script }]], {
      random: { next: () => 0, integer: () => 0 },
    });
    for (let n = 0; n < 100; n += 1) await bench.ask();
    // 20 were saved up, and each call but the first, which finds the purse full, earns a tenth of one.
    expect(bench.clock.monotonicMs()).toBe(0);
    expect(bench.calls('m')).toBe(100 + 20 + 9);
  });

  it('has ten retries a second whatever the calls [C4]', async () => {
    const { clock } = bench;
    const budget = new RetryBudget(clock);
    while (budget.spend());
    await clock.advance(1_000);
    let spent = 0;
    while (budget.spend()) spent += 1;
    expect(spent).toBe(10);
  });
});
