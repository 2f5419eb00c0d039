import { SimulatedClock } from '@starling/clock';
import { callKey } from '@starling/contracts';
import type { StreamPart } from '@starling/llm';
import { answerOf, FakeProvider, type FakeStep } from '@starling/llm/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Seat } from '../src/worker/shared-call.ts';
import { SharedCalls } from '../src/worker/shared-calls.ts';

const key = callKey.parse('abcdefghijklmnopqrstuv');
const request = { messages: [{ role: 'user' as const, content: 'Hi' }], maxCompletionTokens: 9 };
const words = ['One ', 'two ', 'three ', 'four'];
const paced: readonly FakeStep[] = answerOf(...words).flatMap((step): FakeStep[] => [
  { kind: 'wait', ms: 100 },
  step,
]);
const spanOf = (name: string) => ({ traceId: name, spanId: name, traceFlags: 1 });

/** A job that reads: what it was given, and how it ended. */
interface Reader {
  readonly name: string;
  readonly seat: Seat;
  readonly stop: AbortController;
  text: string;
  last: StreamPart | undefined;
}

class Table {
  readonly clock = new SimulatedClock();
  readonly ends: (number | undefined)[] = [];
  readonly provider: FakeProvider;
  readonly calls: SharedCalls;
  #isKept = false;

  constructor(script: readonly FakeStep[] = paced) {
    this.provider = new FakeProvider({ clock: this.clock, script: () => script });
    this.calls = new SharedCalls({
      provider: this.provider,
      onEnd: ({ characters }) => {
        this.ends.push(characters);
        this.#isKept = characters !== undefined;
      },
    });
  }

  sit(name: string): Reader {
    const seat = this.calls.sit(key);
    return { name, seat, stop: new AbortController(), text: '', last: undefined };
  }

  read(reader: Reader): void {
    const { name, seat, stop } = reader;
    const deadlineAtMs = this.clock.nowMs() + 60_000;
    const parts = seat.read(request, { signal: stop.signal, deadlineAtMs, span: spanOf(name) });
    void (async () => {
      for await (const part of parts) {
        if (part.kind === 'text') reader.text += part.text;
        reader.last = part;
      }
    })();
  }

  reader(name: string): Reader {
    const reader = this.sit(name);
    this.read(reader);
    return reader;
  }

  /** What was kept of an answer is kept no longer. */
  forget(): void {
    if (this.#isKept) this.calls.forget(key);
    this.#isKept = false;
  }

  get streams() {
    return this.provider.calls.map(({ abortedAtMs, ended }) =>
      abortedAtMs !== undefined ? 'aborted' : ended ? 'ended' : 'open',
    );
  }
}

describe('a call that several jobs read', () => {
  it('is made once, and read by each from its first character on [A8]', async () => {
    const table = new Table();
    const first = table.reader('first');
    await table.clock.advance(250);
    const second = table.reader('second');
    await table.clock.advance(0);
    expect([first.text, second.text]).toEqual(['One two ', 'One two ']);
    await table.clock.advance(1_000);
    expect([first.text, second.text]).toEqual([words.join(''), words.join('')]);
    expect([first, second].map(({ last }) => last?.kind)).toEqual(['finish', 'finish']);
    expect(table.streams).toEqual(['ended']);
    expect(table.ends).toEqual([words.join('').length]);
  });

  it('goes on when who called leaves, and is closed when the last one does [A8] [A10]', async () => {
    const table = new Table();
    const first = table.reader('first');
    const second = table.reader('second');
    await table.clock.advance(150);
    first.stop.abort();
    await table.clock.advance(100);
    expect(first.last).toMatchObject({ kind: 'error', fault: { code: 'cancelled' } });
    expect([second.text, table.streams]).toEqual(['One two ', ['open']]);
    second.stop.abort();
    await table.clock.advance(0);
    expect([table.streams, table.ends, table.calls.size]).toEqual([['aborted'], [undefined], 0]);
    // A call that was given up is nobody's any more.
    const third = table.reader('third');
    await table.clock.advance(1_000);
    expect([third.text, table.streams]).toEqual([words.join(''), ['aborted', 'ended']]);
  });

  it('waits for who has taken a seat and is not ready to read [A8]', async () => {
    const table = new Table();
    const first = table.reader('first');
    const late = table.sit('late');
    await table.clock.advance(150);
    first.stop.abort();
    await table.clock.advance(100);
    expect(table.streams).toEqual(['open']);
    table.read(late);
    await table.clock.advance(1_000);
    expect(late.text).toBe(words.join(''));
  });

  it('is paid for by one: who came first of those that stayed [A8] [C8]', async () => {
    const table = new Table();
    const [first, second, third] = ['1', '2', '3'].map((name) => table.reader(name));
    await table.clock.advance(150);
    first?.stop.abort();
    await table.clock.advance(1_000);
    const late = table.reader('4');
    await table.clock.advance(0);
    const readers = [first, second, third, late];
    expect(readers.map((reader) => reader?.seat.pays)).toEqual([false, true, false, false]);
    expect(late.text).toBe(words.join(''));
    // Each knows whose span it belongs to, but for the one that called.
    expect(readers.map((reader) => reader?.seat.calledBy?.spanId)).toEqual([
      undefined,
      ...['1', '1', '1'],
    ]);
  });

  it('fails for all who read it, and for nobody who comes after [A8]', async () => {
    const fault = { code: 'provider_unavailable', retryable: false, detail: 'http_500' } as const;
    const table = new Table([
      { kind: 'text', text: 'One ' },
      { kind: 'wait', ms: 100 },
      { kind: 'error', fault },
    ]);
    const readers = [table.reader('1'), table.reader('2')];
    await table.clock.advance(100);
    for (const { last, text } of readers) {
      expect([last, text]).toEqual([{ kind: 'error', fault }, 'One ']);
    }
    expect([table.ends, table.calls.size]).toEqual([[undefined], 0]);
    table.reader('3');
    expect(table.streams).toHaveLength(2);
  });

  it('has no ending where the provider broke its promise, and nobody waits for one', async () => {
    const table = new Table([{ kind: 'text', text: 'One ' }]);
    const reader = table.reader('1');
    await table.clock.advance(0);
    expect(reader.last).toEqual({ kind: 'text', text: 'One ' });
    expect(table.ends).toEqual([undefined]);
  });

  it('leaks nothing in any order of coming, leaving and ending [A8]', async () => {
    const act = fc.oneof(
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('come' as const) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('sit' as const) }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('leave' as const), who: fc.nat(9) }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(250) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('forget' as const) }) },
    );
    const acts = fc.array(act, { maxLength: 40, size: 'max' });
    const whole = words.join('');
    await fc.assert(
      fc.asyncProperty(acts, fc.boolean(), async (steps, fails) => {
        const fault = { code: 'answer_cut', retryable: false, detail: 'cut' } as const;
        const table = new Table(fails ? [...paced.slice(0, 4), { kind: 'error', fault }] : paced);
        const readers: Reader[] = [];
        const waiting = new Set<Reader>();
        for (const step of steps) {
          if (step.kind === 'come' || step.kind === 'sit') {
            const reader = table.sit(String(readers.length));
            readers.push(reader);
            if (step.kind === 'sit') waiting.add(reader);
            else table.read(reader);
          } else if (step.kind === 'leave') {
            const reader = readers[step.who];
            reader?.stop.abort();
            if (reader && waiting.delete(reader)) reader.seat.leave();
          } else if (step.kind === 'forget') table.forget();
          else await table.clock.advance(step.ms);
          await table.clock.advance(0);
          expect(table.streams.filter((stream) => stream === 'open').length).toBeLessThan(2);
        }
        for (const reader of waiting) table.read(reader);
        await table.clock.advance(1_000);
        // Each was told an end: the whole answer, the failure, or that it had left.
        for (const { last, stop, text } of readers) {
          if (last?.kind === 'finish') expect(text).toBe(whole);
          else if (last?.kind === 'error' && last.fault.code === 'answer_cut') {
            expect(text).toBe('One two ');
          } else expect(stop.signal.aborted).toBe(true);
        }
        // A stream is closed early only when all who read it are gone, and each whole one is paid once.
        expect(table.streams).not.toContain('open');
        expect(table.ends.length).toBeGreaterThanOrEqual(table.streams.length);
        const paid = readers.filter(({ last, seat }) => last?.kind === 'finish' && seat.pays);
        const wholes = table.ends.filter((characters) => characters === whole.length);
        expect(paid).toHaveLength(wholes.length);
        table.forget();
        expect(table.calls.size).toBe(0);
      }),
      { numRuns: 200 },
    );
  });
});
