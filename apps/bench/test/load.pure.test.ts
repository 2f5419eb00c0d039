import { describe, expect, it } from 'vitest';
import { AnswerReader } from '../src/load/answer-reader.ts';
import { dueTimes } from '../src/load/arrivals.ts';

describe('dueTimes', () => {
  it('spaces even arrivals evenly and ends before the duration', () => {
    expect([...dueTimes({ kind: 'even', perSecond: 4 }, 1000)]).toEqual([0, 250, 500, 750]);
  });

  it('draws Poisson arrivals of the rate, repeatable, with gaps as irregular as their mean', () => {
    const arrivals = { kind: 'poisson', perSecond: 100, seed: 7 } as const;
    const due = [...dueTimes(arrivals, 100_000)];
    expect(due).toEqual([...dueTimes(arrivals, 100_000)]);
    expect(due.length).toBeGreaterThan(9_600);
    expect(due.length).toBeLessThan(10_400);
    const gaps = due.map((at, index) => at - (due[index - 1] ?? 0));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const deviation = Math.sqrt(
      gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length,
    );
    expect(deviation / mean).toBeGreaterThan(0.95);
    expect(deviation / mean).toBeLessThan(1.05);
    expect(gaps.every((gap) => gap >= 0)).toBe(true);
  });
});

describe('AnswerReader', () => {
  const chunk = (delta: object, finish: string | null = null) =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
  const stream = [
    chunk({ role: 'assistant', content: '' }),
    chunk({ content: 'Hello' }),
    chunk({ content: ' there' }),
    chunk({}, 'stop'),
    'data: [DONE]\n\n',
  ];

  it('finds the first text wherever the pieces are divided, and never an opening without text', () => {
    const whole = stream.join('');
    const textAt = whole.indexOf('Hello');
    for (let cut = 1; cut < whole.length; cut += 1) {
      const reader = new AnswerReader({ stream: true });
      const before = reader.read(whole.slice(0, cut));
      const after = reader.read(whole.slice(cut));
      expect([before, after]).toEqual([cut > textAt, cut <= textAt]);
      expect(reader.whole).toBe(true);
    }
  });

  it('does not call a stream whole that was cut, or one without text', () => {
    const cut = new AnswerReader({ stream: true });
    for (const piece of stream.slice(0, -1)) cut.read(piece);
    expect(cut.whole).toBe(false);
    const empty = new AnswerReader({ stream: true });
    empty.read('data: [DONE]\n\n');
    expect(empty.whole).toBe(false);
  });

  it('reads a body that is sent whole', () => {
    const body = { choices: [{ message: { content: 'Hi' }, finish_reason: 'stop' }] };
    const reader = new AnswerReader({ stream: false });
    expect(reader.read(JSON.stringify(body))).toBe(true);
    expect(reader.whole).toBe(true);
  });
});
