import { SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { spansHead, spansTail, spanText } from '../src/span-text.ts';

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('a"b\\c\n', '\ud800', 'ü€😀'));
const plain = fc.oneof(text, fc.double(), fc.maxSafeInteger(), fc.constant(-0), fc.boolean());
const attributes = fc.dictionary(
  fc.string({ minLength: 1 }),
  fc.oneof(
    plain,
    fc.array(plain),
    fc.constant(null),
    fc.uint8Array({ maxLength: 9 }),
    fc.dictionary(fc.string(), plain, { noNullPrototype: true }),
  ),
  { noNullPrototype: true },
);
const time = fc.tuple(fc.nat({ max: 2_000_000_000 }), fc.nat({ max: 999_999_999 }));
const context = fc.record(
  {
    traceId: hex(32),
    spanId: hex(16),
    traceFlags: fc.constantFrom(TraceFlags.NONE, TraceFlags.SAMPLED),
    isRemote: fc.boolean(),
    traceState: fc.constant({ serialize: () => 'a=b,c="d"' }),
  },
  { requiredKeys: ['traceId', 'spanId', 'traceFlags'] },
);
const count = fc.nat({ max: 3 });

const resource = resourceFromAttributes({ 'service.name': 'a "name"', n: 1 });
const instrumentationScope = { name: 'starling "quoted"' };

const span = fc
  .record(
    {
      context,
      parentSpanContext: context,
      name: text,
      kind: fc.constantFrom(SpanKind.INTERNAL, SpanKind.CLIENT, SpanKind.CONSUMER),
      startTime: time,
      endTime: time,
      attributes,
      status: fc.record(
        { code: fc.constantFrom(SpanStatusCode.UNSET, SpanStatusCode.ERROR), message: text },
        { requiredKeys: ['code'] },
      ),
      events: fc.array(
        fc.record(
          { name: text, time, attributes, droppedAttributesCount: count },
          { requiredKeys: ['name', 'time'] },
        ),
        { maxLength: 2 },
      ),
      links: fc.array(
        fc.record(
          { context, attributes, droppedAttributesCount: count },
          { requiredKeys: ['context'] },
        ),
        { maxLength: 2 },
      ),
      droppedAttributesCount: count,
      droppedEventsCount: count,
      droppedLinksCount: count,
    },
    {
      requiredKeys: [
        'context',
        'name',
        'kind',
        'startTime',
        'endTime',
        'attributes',
        'status',
        'events',
        'links',
        'droppedAttributesCount',
        'droppedEventsCount',
        'droppedLinksCount',
      ],
    },
  )
  .map(
    ({ context: own, ...rest }) =>
      ({
        ...rest,
        resource,
        instrumentationScope,
        spanContext: () => own,
      }) as unknown as ReadableSpan,
  );

it('spans are written as the SDK writes them in OTLP/JSON', () => {
  fc.assert(
    fc.property(fc.array(span, { minLength: 1, maxLength: 3 }), (spans) => {
      const written =
        spansHead(resource, instrumentationScope) + spans.map(spanText).join() + spansTail;
      const theirs = new TextDecoder().decode(JsonTraceSerializer.serializeRequest(spans));
      expect(JSON.parse(written)).toEqual(JSON.parse(theirs));
    }),
    { numRuns: 200 },
  );
});
