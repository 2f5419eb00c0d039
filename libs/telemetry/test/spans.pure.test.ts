import { SimulatedClock } from '@starling/clock';
import { phaseNames } from '@starling/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { counter, PhaseTimeline, registerSecret, withSpan } from '../src/index.ts';
import { type CapturedTelemetry, captureTelemetry } from '../src/testing.ts';

const clock = new SimulatedClock();
let captured: CapturedTelemetry;
beforeEach(() => {
  captured = captureTelemetry({ clock });
});
afterEach(() => captured[Symbol.asyncDispose]());

describe('withSpan', () => {
  it('ends the span, records the error with its code, and throws it on', async () => {
    const failure = Object.assign(new Error('no answer'), { code: 'provider_timeout' });
    await expect(withSpan('llm', {}, () => Promise.reject(failure))).rejects.toBe(failure);
    const [span] = captured.spans;
    expect(span?.status).toEqual({ code: 2, message: 'no answer' });
    expect(span?.attributes['starling.error.code']).toBe('provider_timeout');
    expect(span?.events[0]?.attributes?.['exception.message']).toBe('no answer');
    expect(span?.ended).toBe(true);
  });

  it('has the attributes that it was given, and none that is undefined', async () => {
    const attributes = { 'starling.attempt': 2, 'starling.lane': undefined, list: ['a', 'b'] };
    await withSpan('llm', { attributes, role: 'worker' }, () => {});
    const [span] = captured.spans;
    expect(span?.attributes).toEqual({
      'starling.attempt': 2,
      list: ['a', 'b'],
      'starling.role': 'worker',
      'starling.correlation_id': span?.spanContext().traceId.slice(0, 8),
    });
  });

  it('lets no secret onto a span, in attributes, errors or events', async () => {
    const secret = 'correct-horse-battery';
    registerSecret(secret);
    const attributes = { 'http.url': `http://x/?q=${secret}`, authorization: 'whatever it is' };
    const failing = withSpan('llm', { attributes }, (span) => {
      span.addEvent('retry', { header: `Bearer ${secret}` });
      throw new Error(`401 for ${secret}`, { cause: secret });
    });
    await expect(failing).rejects.toThrow(secret);
    const [span] = captured.spans;
    const { attributes: kept, events, status } = span ?? {};
    expect(JSON.stringify({ kept, events, status })).not.toContain(secret);
    expect(kept?.authorization).toBe('[redacted]');
  });
});

describe('PhaseTimeline', () => {
  it('gives each phase a span and a histogram record in milliseconds [A2]', async () => {
    const timeline = new PhaseTimeline(clock, 'bot');
    for (const [index, phase] of phaseNames.entries()) {
      const run = timeline.run(phase, () => clock.sleep(index + 1));
      await clock.advance(index + 1);
      await run;
    }
    expect(captured.spans.map(({ name }) => name)).toEqual([...phaseNames]);
    expect(Object.keys(timeline.times)).toEqual([...phaseNames]);
    expect(timeline.times.receive).toBe(1);
    const points = await captured.metrics();
    expect(points).toHaveLength(phaseNames.length);
    expect(points[6]).toMatchObject({
      name: 'starling.phase.duration',
      attributes: { 'starling.phase': 'llm', outcome: 'ok' },
      value: { count: 1, sum: 7 },
    });
  });

  it('has nothing for work that was not done [A2]', async () => {
    const timeline = new PhaseTimeline(clock);
    await timeline.run('receive', () => {});
    expect(Object.keys(timeline.times)).toEqual(['receive']);
    expect(captured.spans.map(({ name }) => name)).toEqual(['receive']);
    expect(await captured.metrics()).toHaveLength(1);
  });

  it('keeps the time of a phase that failed, and says so [A2]', async () => {
    const timeline = new PhaseTimeline(clock);
    const run = timeline.run('context', async () => {
      await clock.sleep(30);
      throw new Error('no history');
    });
    const failed = expect(run).rejects.toThrow('no history');
    await clock.advance(30);
    await failed;
    expect(timeline.times).toEqual({ context: 30 });
    expect((await captured.metrics())[0]?.attributes.outcome).toBe('error');
  });

  it('adds up a phase done twice [A2]', async () => {
    const timeline = new PhaseTimeline(clock);
    for (const durationMs of [5, 7]) {
      const run = timeline.run('send', () => clock.sleep(durationMs));
      await clock.advance(durationMs);
      await run;
    }
    expect(timeline.times).toEqual({ send: 12 });
    expect(captured.spans).toHaveLength(2);
  });

  it('records a wait that is known afterwards [A2]', async () => {
    const timeline = new PhaseTimeline(clock);
    timeline.record('queue', { startMs: 1_000, endMs: 1_040, attributes: { lane: 'dm' } });
    expect(timeline.times).toEqual({ queue: 40 });
    expect(captured.spans[0]?.duration).toEqual([0, 40_000_000]);
    expect((await captured.metrics())[0]?.value).toMatchObject({ count: 1, sum: 40 });
  });

  it('takes over what another process measured, without recording it again [A2]', async () => {
    const timeline = new PhaseTimeline(clock);
    timeline.add('llm', 1_500);
    expect(timeline.times).toEqual({ llm: 1_500 });
    expect(captured.spans).toEqual([]);
    expect(await captured.metrics()).toEqual([]);
  });
});

describe('counter', () => {
  it('counts on, though it was made before telemetry was', async () => {
    const dropped = counter('starling.log.dropped');
    dropped.add(2);
    dropped.add(3);
    expect(await captured.metrics()).toMatchObject([{ name: 'starling.log.dropped', value: 5 }]);
    await captured[Symbol.asyncDispose]();
    dropped.add(100);
    captured = captureTelemetry();
    dropped.add(1);
    expect(await captured.metrics()).toMatchObject([{ value: 1 }]);
  });
});
