import { seededRandom } from '@starling/clock';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawLognormal } from '../src/lognormal.ts';
import { planAnswer } from '../src/plan-answer.ts';
import { modelOf, requestOf } from './build-request.ts';

const slow = modelOf({
  headersMs: { median: 30, sigma: 0.3 },
  firstTokenMs: { median: 400, sigma: 0.5 },
  tokensPerSecond: { median: 50, sigma: 0.2 },
  tokensPerChunk: 3,
});

const planOf = (question: string, seed: number, timeScale = 1) =>
  planAnswer(requestOf(question), { model: slow, timeScale }, seededRandom(seed));

describe('planAnswer', () => {
  it('repeats from the seed and differs without it', () => {
    expect(planOf('Hello', 7)).toEqual(planOf('Hello', 7));
    expect(planOf('Hello', 8).endAtMs).not.toBe(planOf('Hello', 7).endAtMs);
  });

  it('spends the same draws on a short and on a long answer', () => {
    const after = (question: string) => {
      const random = seededRandom(3);
      planAnswer(requestOf(question), { model: slow, timeScale: 1 }, random);
      return random.next();
    };
    expect(after('[[tokens:1]]')).toBe(after('[[tokens:900]]'));
  });

  it('keeps order: headers, then chunks at the pace of tokens, then the end', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 300 }), (seed, length) => {
        const plan = planOf(`[[tokens:${length}]]`, seed);
        let atMs = plan.headersAtMs;
        let tokens = 0;
        for (const chunk of plan.chunks) {
          expect(chunk.atMs).toBeGreaterThanOrEqual(atMs);
          atMs = chunk.atMs;
          tokens += chunk.tokens;
        }
        expect(plan.endAtMs).toBe(atMs);
        expect(tokens).toBe(length);
        expect(plan.usage.completionTokens).toBe(length);
      }),
      { numRuns: 50 },
    );
  });

  it('scales every delay, down to none', () => {
    const plan = planOf('Hello', 5);
    const tenth = planOf('Hello', 5, 0.1);
    expect(tenth.headersAtMs).toBeCloseTo(plan.headersAtMs / 10);
    expect(tenth.endAtMs).toBeCloseTo(plan.endAtMs / 10);
    expect(planOf('Hello', 5, 0).endAtMs).toBe(0);
  });

  it('draws half of its first tokens under the median and one in a hundred far above', () => {
    const random = seededRandom(11);
    const draws = Array.from({ length: 4000 }, () =>
      drawLognormal({ median: 400, sigma: 0.5 }, random),
    ).toSorted((a, b) => a - b);
    expect(draws[2000]).toBeGreaterThan(400 * 0.95);
    expect(draws[2000]).toBeLessThan(400 * 1.05);
    // e^(0.5 · 2.326) = 3.2
    expect((draws[3960] ?? 0) / 400).toBeGreaterThan(2.8);
    expect((draws[3960] ?? 0) / 400).toBeLessThan(3.7);
    expect(draws.at(-1)).toBeLessThanOrEqual(400 * Math.exp(2));
  });

  it('ends with length at max tokens, and at the end of the context', () => {
    const limited = planAnswer(
      requestOf('[[tokens:100]]', { maxTokens: 10 }),
      { model: slow, timeScale: 1 },
      seededRandom(1),
    );
    expect(limited).toMatchObject({ finish: 'length', usage: { completionTokens: 10 } });
    const whole = planAnswer(
      requestOf('[[tokens:100]]', { maxTokens: 100 }),
      { model: slow, timeScale: 1 },
      seededRandom(1),
    );
    expect(whole).toMatchObject({ finish: 'stop', usage: { completionTokens: 100 } });
    const request = requestOf('[[tokens:100]]');
    const narrow = modelOf({ contextTokens: request.promptTokens + 4 });
    const crowded = planAnswer(request, { model: narrow, timeScale: 1 }, seededRandom(1));
    expect(crowded).toMatchObject({ finish: 'length', usage: { completionTokens: 4 } });
  });

  it('bills reasoning as part of the completion', () => {
    const plan = planOf('[[think:8]] [[tokens:20]]', 1);
    expect(plan.usage).toMatchObject({ completionTokens: 28, reasoningTokens: 8 });
  });
});
