/**
 * A span as OTLP's JSON (opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding), written as text.
 * The SDK makes an object for every value and a BigInt for every time first; a property test holds this
 * to what it writes.
 */
import type { Attributes, Link, SpanContext } from '@opentelemetry/api';
import type { InstrumentationScope } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan, TimedEvent } from '@opentelemetry/sdk-trace';

/** What is written before the spans of one scope. */
export function spansHead(resource: Resource, scope: InstrumentationScope): string {
  const attributes = attributesText(resource.attributes);
  return `{"resourceSpans":[{"resource":{"attributes":[${attributes}],"droppedAttributesCount":0},"scopeSpans":[{"scope":{"name":${text(scope.name)}},"spans":[`;
}

/** What is written after them. */
export const spansTail = ']}]}]}';

/** One span, without the comma before it. */
export function spanText(span: ReadableSpan): string {
  const { traceId, spanId, traceFlags, traceState } = span.spanContext();
  const { parentSpanContext: parent, status, events, links } = span;
  const state = traceState?.serialize();
  return (
    `{"traceId":"${traceId}","spanId":"${spanId}",` +
    (parent?.spanId ? `"parentSpanId":"${parent.spanId}",` : '') +
    (state === undefined ? '' : `"traceState":${text(state)},`) +
    `"name":${text(span.name)},"kind":${span.kind + 1},` +
    `"startTimeUnixNano":"${nanos(span.startTime)}","endTimeUnixNano":"${nanos(span.endTime)}",` +
    `"attributes":[${attributesText(span.attributes)}],` +
    `"droppedAttributesCount":${span.droppedAttributesCount},` +
    `"events":[${events.length === 0 ? '' : events.map(eventText).join()}],` +
    `"droppedEventsCount":${span.droppedEventsCount},` +
    `"status":{"code":${status.code}${status.message === undefined ? '' : `,"message":${text(status.message)}`}},` +
    `"links":[${links.length === 0 ? '' : links.map(linkText).join()}],` +
    `"droppedLinksCount":${span.droppedLinksCount},"flags":${flags(traceFlags, parent)}}`
  );
}

function eventText({ attributes, name, time, droppedAttributesCount = 0 }: TimedEvent): string {
  return `{"attributes":[${attributesText(attributes ?? {})}],"name":${text(name)},"timeUnixNano":"${nanos(time)}","droppedAttributesCount":${droppedAttributesCount}}`;
}

function linkText({ attributes, context, droppedAttributesCount = 0 }: Link): string {
  const state = context.traceState?.serialize();
  return `{"attributes":[${attributesText(attributes ?? {})}],"spanId":"${context.spanId}","traceId":"${context.traceId}",${state === undefined ? '' : `"traceState":${text(state)},`}"droppedAttributesCount":${droppedAttributesCount},"flags":${flags(context.traceFlags, context)}}`;
}

/** W3C's flags, that the span knows whether its parent is remote, and whether it is (OTLP, Span.flags). */
function flags(traceFlags: number, from: SpanContext | undefined): number {
  return (traceFlags & 255) | 256 | (from?.isRemote ? 512 : 0);
}

function nanos([seconds, rest]: readonly [number, number]): string {
  const whole = Math.trunc(rest).toString();
  return Math.trunc(seconds) === 0 ? whole : Math.trunc(seconds) + whole.padStart(9, '0');
}

/** How a key begins its entry; keys are few and come again with every span. */
const keyTexts = new Map<string, string>();
/** Keys that are remembered; beyond it one is written each time. */
const maxKeyTexts = 1_000;

function keyText(key: string): string {
  const known = keyTexts.get(key);
  if (known !== undefined) return known;
  const written = `{"key":${text(key)},"value":`;
  if (keyTexts.size < maxKeyTexts) keyTexts.set(key, written);
  return written;
}

function attributesText(attributes: Attributes): string {
  let written = '';
  for (const key of Object.keys(attributes)) {
    if (written !== '') written += ',';
    written += `${keyText(key) + valueText(attributes[key])}}`;
  }
  return written;
}

function valueText(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return `{"stringValue":${text(value)}}`;
    case 'number':
      return Number.isInteger(value)
        ? `{"intValue":${JSON.stringify(value)}}`
        : `{"doubleValue":${JSON.stringify(value)}}`;
    case 'boolean':
      return `{"boolValue":${value}}`;
    case 'object':
      return value === null ? '{}' : objectText(value);
    default:
      return '{}';
  }
}

function objectText(value: object): string {
  if (Array.isArray(value)) return `{"arrayValue":{"values":[${value.map(valueText).join()}]}}`;
  if (value instanceof Uint8Array) {
    return `{"bytesValue":"${Buffer.from(value).toString('base64')}"}`;
  }
  return `{"kvlistValue":{"values":[${attributesText(value as Attributes)}]}}`;
}

/** Plain ASCII without a quote or backslash stands for itself. */
const plain = /^[ !#-[\]-~]*$/;

function text(value: string): string {
  return plain.test(value) ? `"${value}"` : JSON.stringify(value);
}
