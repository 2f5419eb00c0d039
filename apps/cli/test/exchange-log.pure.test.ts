import { SimulatedClock } from '@starling/clock';
import type { Exchange } from '@starling/contracts';
import { describe, expect, it } from 'vitest';
import { ExchangeLog } from '../src/fleet/exchange-log.ts';
import { exchangeLines, milliseconds } from '../src/screen/exchange-lines.ts';
import { exchange } from './exchange-fixture.ts';

describe('the exchange log', () => {
  it('wakes the caller that waits for a job, and only that one', async () => {
    const clock = new SimulatedClock();
    const log = new ExchangeLog(clock);
    const waitsForA = log.wait('a', 1000);
    const waitsForB = log.wait('b', 1000);
    log.add(exchange({ jobId: 'a' }));
    expect((await waitsForA)?.jobId).toBe('a');
    await clock.advance(1000);
    expect(await waitsForB).toBeUndefined();
    expect(clock.pendingTimers).toBe(0);
  });

  it('keeps the newest 200 and gives them newest first', () => {
    const log = new ExchangeLog(new SimulatedClock());
    for (let n = 0; n < 250; n += 1) log.add(exchange({ jobId: `job${n}` }));
    const kept = log.recent(1000).map(({ jobId }) => jobId);
    expect(kept).toHaveLength(200);
    expect(kept[0]).toBe('job249');
    expect(kept.at(-1)).toBe('job50');
  });
});

describe('what a fleet has answered', () => {
  it('is counted once a question, with those that cost no call [A8]', () => {
    const log = new ExchangeLog(new SimulatedClock());
    const usage = { promptTokens: 1, completionTokens: 1, estimated: false };
    const answered = { kind: 'answered', model: 'toy', usage } as const;
    log.add(exchange({ jobId: 'a', ending: answered }));
    for (let n = 0; n < 2; n += 1) {
      log.add(exchange({ jobId: 'b', ending: { ...answered, shared: true } }));
    }
    log.add(exchange({ jobId: 'c', ending: { kind: 'failed', code: 'cancelled' } }));
    expect(log.counts).toEqual({ answered: 2, shared: 1 });
  });
});

describe('the end of a fleet', () => {
  it('leaves whoever waited the time to look at the last answer', async () => {
    const clock = new SimulatedClock();
    const log = new ExchangeLog(clock);
    await log.read();
    log.add(exchange({}));
    await clock.advance(400);
    let over = false;
    void log.read().then(() => {
      over = true;
    });
    await clock.advance(599);
    expect(over).toBe(false);
    await clock.advance(1);
    expect(over).toBe(true);
  });
});

describe('an exchange on the screen', () => {
  it('says how it ended, its correlation id and where the time went [A1] [A2]', () => {
    const [ending, phases] = exchangeLines(exchange({}));
    expect(ending).toMatch(/answered in 812 ms \(first text 300 ms\), 3 edits, by toy.*8f3c2a1b/);
    expect(phases).toMatch(/receive 0\.4 · queue 3\.0 · llm 640 ms/);
  });

  it.each<[Exchange['ending'], RegExp]>([
    [{ kind: 'refused', code: 'user_busy' }, /refused in 812 ms: user_busy/],
    [{ kind: 'failed', code: 'provider_timeout' }, /failed after 812 ms: provider_timeout/],
    [{ kind: 'failed', code: 'cancelled' }, /stopped after 812 ms/],
  ])('says a bad ending calmly', (bad, expected) => {
    expect(exchangeLines(exchange({ ending: bad }))[0]).toMatch(expected);
  });

  it('never shows a short phase as none', () => {
    expect(milliseconds(0.04)).toBe('0.0');
    expect(milliseconds(0.4)).toBe('0.4');
    expect(milliseconds(41.6)).toBe('42');
  });
});
