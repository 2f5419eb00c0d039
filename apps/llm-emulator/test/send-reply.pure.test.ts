import { SimulatedClock, seededRandom } from '@starling/clock';
import { describe, expect, it } from 'vitest';
import { openaiDialect } from '../src/dialects/openai.ts';
import { planAnswer } from '../src/plan-answer.ts';
import { type Step, streamSteps } from '../src/reply-steps.ts';
import { type SendObserver, sendReply } from '../src/send-reply.ts';
import { modelOf, requestOf } from './build-request.ts';
import { FakeResponse } from './fake-response.ts';

const frame = (data: string): Step => ({ kind: 'bytes', data, tokens: 1, role: 'frame' });
const wait = (ms: number): Step => ({ kind: 'wait', ms });
const head: Step = { kind: 'head', status: 200, headers: {} };

function send(steps: Iterable<Step>) {
  const clock = new SimulatedClock();
  const response = new FakeResponse(clock);
  const seen: string[] = [];
  const observer: SendObserver = {
    head: (status) => seen.push(`head ${status}`),
    bytes: (tokens) => seen.push(`tokens ${tokens}`),
    ended: (ending) => seen.push(ending),
  };
  sendReply(clock, response.asResponse, steps, observer);
  return { clock, response, seen };
}

describe('sendReply', () => {
  it('sends each step when it is due, headers before a wait at once', async () => {
    const steps = [head, wait(100), frame('a'), wait(50), frame('b'), { kind: 'end' } as const];
    const { clock, response, seen } = send(steps);
    await clock.advance(1000);
    expect(response.log).toEqual([
      { atMs: 0, what: 'head 200' },
      { atMs: 0, what: 'flush' },
      { atMs: 100, what: 'a' },
      { atMs: 150, what: 'b' },
      { atMs: 150, what: 'end' },
    ]);
    expect(seen).toEqual(['head 200', 'tokens 1', 'tokens 1', 'complete']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('keeps to the plan of an answer to the millisecond, without adding up lateness', async () => {
    const model = modelOf({
      firstTokenMs: { median: 200 },
      tokensPerSecond: { median: 300 },
      answerTokens: { median: 400 },
    });
    const plan = planAnswer(requestOf('Hello'), { model, timeScale: 1 }, seededRandom(1));
    const encoder = openaiDialect.startStream({
      id: 'x',
      createdAtMs: 0,
      model: 'm',
      promptTokens: 1,
      reasoningField: 'reasoning',
    });
    const { clock, response } = send(streamSteps(plan, encoder, { headers: {}, withUsage: true }));
    await clock.advance(plan.endAtMs + 1);
    const texts = response.log.filter(({ what }) => what.startsWith('data:'));
    expect(texts).toHaveLength(plan.chunks.length + 1);
    for (const [index, chunk] of plan.chunks.entries()) {
      expect(Math.abs((texts[index]?.atMs ?? 0) - chunk.atMs)).toBeLessThan(1);
    }
  });

  it('waits for a slow reader', async () => {
    const { clock, response, seen } = send([head, wait(1), frame('a'), frame('b'), frame('c')]);
    response.reads = false;
    await clock.advance(10);
    expect(seen).toEqual(['head 200', 'tokens 1']);
    response.reads = true;
    response.emit('drain');
    expect(seen).toEqual(['head 200', 'tokens 1', 'tokens 1', 'tokens 1', 'complete']);
  });

  it('stops at once when the client closes, and says so once', async () => {
    let closed = false;
    function* endless(): Generator<Step> {
      try {
        for (;;) {
          yield frame('x');
          yield wait(10);
        }
      } finally {
        closed = true;
      }
    }
    const { clock, response, seen } = send(endless());
    await clock.advance(35);
    response.emit('close');
    response.emit('close');
    await clock.advance(100);
    expect(seen).toEqual([...Array(4).fill('tokens 1'), 'aborted']);
    expect(clock.pendingTimers).toBe(0);
    expect(closed).toBe(true);
  });

  it('tells a cut and a reset from a whole reply', () => {
    expect(send([head, { kind: 'cut' }]).seen.at(-1)).toBe('cut');
    const reset = send([{ kind: 'reset' }]);
    expect(reset.response.log.map(({ what }) => what)).toEqual(['reset']);
    expect(reset.seen).toEqual(['reset']);
  });
});
