import { correlationId } from '@starling/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorText } from '../../src/bot/error-text.ts';
import { isQueueLine, isWorthALine, queueLine } from '../../src/bot/queue-line.ts';

describe('the line of a question that waits', () => {
  it('tells place and wait, in steps that grow with it [B6]', () => {
    const waits = [10, 7_800, 10_000, 12_300, 55_000, 56_000, 61_000, 600_000];
    expect(waits.map((waitMs) => queueLine({ position: 11, waitMs }))).toEqual([
      'In line: place 12, about 1 s',
      'In line: place 12, about 8 s',
      'In line: place 12, about 10 s',
      'In line: place 12, about 15 s',
      'In line: place 12, about 55 s',
      'In line: place 12, about 1 min',
      'In line: place 12, about 2 min',
      'In line: place 12, about 10 min',
    ]);
    expect(queueLine({ position: 0, waitMs: 2_000 })).toBe('Next in line, about 2 s');
    expect(queueLine({ position: 0 })).toBe('Next in line');
    expect(queueLine({ position: 3 })).toBe('In line: place 4');
  });

  it('is worth showing unless the wait is over before it was read', () => {
    const waits = [undefined, 0, 999, 1_000];
    const worth = waits.map((waitMs) =>
      isWorthALine({ position: 0, ...(waitMs !== undefined && { waitMs }) }),
    );
    expect(worth).toEqual([true, false, false, true]);
  });

  it('is known again by its text, and no answer is taken for it', () => {
    const place = fc.record(
      { position: fc.nat(), waitMs: fc.double({ min: 0, max: 1e9, noNaN: true }) },
      { requiredKeys: ['position'] },
    );
    fc.assert(fc.property(place, (of) => isQueueLine(queueLine(of))));
    for (const text of ['', 'In line: place 4, said the queen', 'Next in line is Ada', 'in line']) {
      expect(isQueueLine(text)).toBe(false);
    }
  });
});

describe('a refusal', () => {
  it('tells the reason, the place of what it waits for, the time of the next try, and its id [D5] [B7]', () => {
    const refusal = {
      code: 'user_busy',
      retryAtMs: 1_700_000_000_400,
      correlationId: correlationId.parse('8f3c2a1b'),
    } as const;
    const reason = 'You already have several questions waiting. Let me answer those first';
    expect(errorText({ ...refusal, placeBefore: { position: 2, waitMs: 4_000 } })).toBe(
      `${reason} · the first of them: place 3, about 4 s · try again <t:1700000001:R> · id 8f3c2a1b`,
    );
    expect(
      errorText({ ...refusal, code: 'too_busy', place: { position: 19_999, waitMs: 1e6 } }),
    ).toBe(
      'Too many questions are waiting at the moment · this one would be at place 20000, about 17 min · try again <t:1700000001:R> · id 8f3c2a1b',
    );
    expect(errorText(refusal)).toBe(`${reason} · try again <t:1700000001:R> · id 8f3c2a1b`);
  });
});
