import { SimulatedClock } from '@starling/clock';
import { headerNames } from '@starling/contracts';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  activeContext,
  contextFrom,
  contextWithIds,
  correlationIdOf,
  injectHeaders,
  log,
  runIn,
  SpanKind,
  telemetryFor,
  withSpan,
} from '../src/index.ts';
import { type CapturedTelemetry, captureTelemetry } from '../src/testing.ts';

const ids = { guildId: '100000000000000001', userId: '100000000000000002' };

let captured: CapturedTelemetry;
beforeEach(() => {
  captured = captureTelemetry({ service: 'bot', clock: new SimulatedClock() });
});
afterEach(() => captured[Symbol.asyncDispose]());

describe('the correlation id', () => {
  it('is the first 8 hex digits of the trace id, on every span [A1]', async () => {
    await withSpan('receive', {}, () => withSpan('route', {}, () => {}));
    await withSpan('llm', { root: true }, () => {});
    expect(captured.spans).toHaveLength(3);
    for (const span of captured.spans) {
      const { traceId } = span.spanContext();
      expect(span.attributes['starling.correlation_id']).toBe(traceId.slice(0, 8));
    }
    expect(new Set(captured.spans.map((span) => span.spanContext().traceId)).size).toBe(2);
  });

  it('is on every log line of the message, and on none outside of one [A1]', async () => {
    log('shards').info('outside');
    const id = await withSpan('receive', {}, async () => {
      await Promise.resolve();
      log('shards').info('inside');
      return correlationIdOf();
    });
    expect(id).toMatch(/^[0-9a-f]{8}$/);
    expect(captured.lines.map(({ detail }) => detail.corr_id)).toEqual([null, id]);
  });

  it('crosses the bus with trace and ids, and joins one trace [A1]', async () => {
    const headers = await withSpan('receive', { kind: SpanKind.PRODUCER }, () =>
      runIn(contextWithIds(ids), () => injectHeaders({ 'starling-lane': 'dm' })),
    );
    expect(headers).toMatchObject({ 'starling-lane': 'dm' });
    expect(headers[headerNames.traceparent]).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);

    const worker = telemetryFor('worker');
    await worker.withSpan('llm', { parent: worker.contextFrom(headers) }, () => {
      log('pool').info('call');
    });
    const [sent, received] = captured.spans;
    expect(received?.spanContext().traceId).toBe(sent?.spanContext().traceId);
    expect(received?.parentSpanContext?.spanId).toBe(sent?.spanContext().spanId);
    expect(headers[headerNames.correlationId]).toBe(correlationIdOf(contextFrom(headers)));
    expect(captured.lines[0]).toMatchObject({
      name: 'worker',
      guild_id: ids.guildId,
      user_id: ids.userId,
      detail: { corr_id: headers[headerNames.correlationId] },
    });
  });

  it('is kept when a message brings no trace [A1]', () => {
    const context = contextFrom({ [headerNames.correlationId]: '0123abcd' });
    expect(correlationIdOf(context)).toBe('0123abcd');
    expect(injectHeaders({}, context)).toEqual({ [headerNames.correlationId]: '0123abcd' });
  });

  it('does not come from the handler’s caller: an in-memory bus calls inside its publisher [A1]', async () => {
    await withSpan('receive', {}, () => {
      expect(correlationIdOf(contextFrom({}))).toBeUndefined();
    });
  });

  it('survives any headers [A1]', () => {
    const name = fc.constantFrom(...Object.values(headerNames));
    fc.assert(
      fc.property(fc.dictionary(name, fc.string()), (headers) => {
        const context = contextFrom(headers);
        expect(correlationIdOf(context) ?? '00000000').toMatch(/^[0-9a-f]{8}$/);
        runIn(context, () => log('bus').info('read'));
      }),
    );
  });
});

describe('telemetryFor', () => {
  it('names the role on spans and lines, for all that is called inside [A1]', async () => {
    const bot = telemetryFor('bot');
    const balancer = telemetryFor('balancer');
    await bot.withSpan('receive', {}, async () => {
      await balancer.withSpan('queue', {}, () =>
        withSpan('dispatch', {}, () => log('x').info('a')),
      );
      bot.run(() => log('x').info('b'));
    });
    balancer.recordSpan('queue', { startMs: 1_700_000_000_000, endMs: 1_700_000_000_250 });
    const role = (name: string) =>
      captured.spans.find((span) => span.name === name)?.attributes['starling.role'];
    expect([role('receive'), role('queue'), role('dispatch')]).toEqual([
      'bot',
      'balancer',
      'balancer',
    ]);
    expect(captured.lines.map(({ name }) => name)).toEqual(['balancer', 'bot']);
    expect(captured.spans.at(-1)?.duration).toEqual([0, 250_000_000]);
  });

  it('leaves the role to the process where nobody said one', async () => {
    await withSpan('receive', {}, () => {});
    expect(captured.spans[0]?.attributes['starling.role']).toBe('bot');
    expect(correlationIdOf(activeContext())).toBeUndefined();
  });
});
