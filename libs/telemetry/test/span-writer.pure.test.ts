import { type Attributes, TraceFlags } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { SimulatedClock } from '@starling/clock';
import { expect, it } from 'vitest';
import { SpanWriter } from '../src/span-writer.ts';

const resource = resourceFromAttributes({ 'service.name': 'test' });
const scopes = [{ name: 'starling' }, { name: 'somebody else' }] as const;

function span(
  name: string,
  rest: { attributes?: Attributes; scope?: object; traceFlags?: TraceFlags } = {},
): ReadableSpan {
  const { attributes = {}, scope = scopes[0], traceFlags = TraceFlags.SAMPLED } = rest;
  return {
    spanContext: () => ({ traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags }),
    name,
    kind: 0,
    startTime: [1, 0],
    endTime: [2, 0],
    attributes,
    status: { code: 0 },
    events: [],
    links: [],
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
    resource,
    instrumentationScope: scope,
  } as unknown as ReadableSpan;
}

/** A collector of which the test says when it answers, and what. */
function start() {
  const clock = new SimulatedClock();
  const requests: { readonly names: string[]; readonly bytes: number }[] = [];
  const answers: ((error: unknown) => void)[] = [];
  const troubles: unknown[] = [];
  const restored: number[] = [];
  const collector = { answering: true };
  const writer = new SpanWriter({
    clock,
    send(request) {
      const { resourceSpans } = JSON.parse(Buffer.from(request).toString());
      const [{ scope, spans }] = resourceSpans[0].scopeSpans;
      const names = spans.map((one: { name: string }) => `${scope.name}/${one.name}`);
      requests.push({ names, bytes: request.byteLength });
      return new Promise((resolve) => {
        if (collector.answering) resolve(undefined);
        else answers.push(resolve);
      });
    },
    onTrouble: (error) => troubles.push(error),
    onRestored: (lost) => restored.push(lost),
  });
  const sent = () => requests.flatMap(({ names }) => names);
  return { answers, clock, collector, requests, restored, sent, troubles, writer };
}

it('sends the spans of a second together, and nothing when there were none', async () => {
  const { clock, requests, writer } = start();
  writer.onEnd(span('a'));
  await clock.advance(600);
  writer.onEnd(span('b'));
  writer.onEnd(span('not sampled', { traceFlags: TraceFlags.NONE }));
  await clock.advance(399);
  expect(requests).toEqual([]);
  await clock.advance(1);
  expect(requests.map(({ names }) => names)).toEqual([['starling/a', 'starling/b']]);
  await clock.advance(10_000);
  expect(requests).toHaveLength(1);
  expect(clock.pendingTimers).toBe(0);
});

it('sends at once what fills a piece, each span once, also one that is larger than a piece', async () => {
  const { requests, sent, writer } = start();
  const sizes = [...Array.from({ length: 300 }, (_, at) => at * 17), 500_000, 10];
  for (const [at, size] of sizes.entries()) {
    writer.onEnd(span(`${at}`, { attributes: { filler: 'ü'.repeat(size) } }));
  }
  expect(requests.length).toBeGreaterThan(4);
  await writer.forceFlush();
  expect(sent()).toEqual(sizes.map((_, at) => `starling/${at}`));
  const large = requests.filter(({ bytes }) => bytes > 262_144);
  expect(large.map(({ names }) => names)).toEqual([['starling/300']]);
});

it('writes into a piece again only when its export is over', async () => {
  const { answers, collector, sent, writer } = start();
  const filler = 'x'.repeat(100_000);
  collector.answering = false;
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) {
    writer.onEnd(span(name, { attributes: { filler } }));
    // The second of three answers comes first.
    answers.splice(1, 1)[0]?.(undefined);
    await Promise.resolve();
  }
  const flushed = writer.forceFlush();
  for (const answer of answers) answer(undefined);
  await flushed;
  expect(sent()).toEqual([...'abcdefgh'].map((name) => `starling/${name}`));
});

it('sends the spans of another scope apart', async () => {
  const { requests, writer } = start();
  for (const at of [0, 1, 1, 0]) writer.onEnd(span('a', { scope: scopes[at] ?? {} }));
  await writer.forceFlush();
  expect(requests.map(({ names }) => names)).toEqual([
    ['starling/a'],
    ['somebody else/a', 'somebody else/a'],
    ['starling/a'],
  ]);
});

it('drops what fills while 16 exports are on their way, tells it once, and when it is over', async () => {
  const { answers, collector, requests, restored, troubles, writer } = start();
  collector.answering = false;
  const attributes = { filler: 'x'.repeat(90_000) };
  for (let at = 0; at < 20; at += 1) writer.onEnd(span(`${at}`, { attributes }));
  expect(requests).toHaveLength(16);
  expect(troubles).toHaveLength(1);
  const refused = new Error('503');
  for (const answer of answers) answer(refused);
  await new Promise(setImmediate);
  collector.answering = true;
  await writer.forceFlush();
  expect(troubles).toHaveLength(1);
  expect(restored).toEqual([19]);
  writer.onEnd(span('later'));
  await writer.shutdown();
  expect(restored).toEqual([19]);
});

it('sends what waits at its end, waits for it, and takes nothing more', async () => {
  const { answers, clock, collector, requests, writer } = start();
  collector.answering = false;
  writer.onEnd(span('last'));
  let over = false;
  const ending = writer.shutdown().then(() => {
    over = true;
  });
  await clock.advance(100);
  expect({ over, sent: requests.length }).toEqual({ over: false, sent: 1 });
  answers[0]?.(undefined);
  await ending;
  writer.onEnd(span('too late'));
  await clock.advance(2_000);
  expect(requests).toHaveLength(1);
});
