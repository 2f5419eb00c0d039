import {
  type Context,
  context,
  isSpanContextValid,
  type Link,
  type TextMapGetter,
  trace,
} from '@opentelemetry/api';
import {
  CompositePropagator,
  W3CBaggagePropagator,
  W3CTraceContextPropagator,
} from '@opentelemetry/core';
import { type CorrelationId, correlationId, type Headers, headerNames } from '@starling/contracts';
import {
  correlationIdIn,
  freshContext,
  type MessageIds,
  roleIn,
  withCorrelationId,
  withMessageIds,
} from './correlation.ts';

/** W3C Trace Context and Baggage, whatever OTEL_PROPAGATORS says: both ends of the bus are ours. */
export const propagator = new CompositePropagator({
  propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()],
});

const getter: TextMapGetter<Headers> = {
  get: (headers, key) => headers[key],
  keys: (headers) => Object.keys(headers),
};

/** The context that is active here. */
export function activeContext(): Context {
  return context.active();
}

/** Runs `fn` in a context; what it awaits stays in it. */
export function runIn<T>(inside: Context, fn: () => T): T {
  return context.with(inside, fn);
}

/** Headers for a message sent from this context: the given ones, trace, baggage, correlation id. */
export function injectHeaders(headers: Headers = {}, from: Context = context.active()): Headers {
  const carrier: Record<string, string> = { ...headers };
  propagator.inject(from, carrier, { set: (into, key, value) => (into[key] = value) });
  const correlation = correlationIdIn(from);
  if (correlation !== undefined) carrier[headerNames.correlationId] = correlation;
  return carrier;
}

/**
 * The context that a message brought. It begins at nothing, never at the receiver's active span: an
 * in-memory bus may call a handler from within its publisher. Headers that do not parse are ignored.
 */
export function contextFrom(headers: Headers): Context {
  const extracted = propagator.extract(freshContext(roleIn(context.active())), headers, getter);
  if (correlationIdIn(extracted) !== undefined) return extracted;
  const brought = correlationId.safeParse(headers[headerNames.correlationId]);
  return brought.success ? withCorrelationId(extracted, brought.data) : extracted;
}

/** The correlation id of a context, the active one unless given; undefined outside of any message. */
export function correlationIdOf(of: Context = context.active()): CorrelationId | undefined {
  return correlationIdIn(of);
}

/** A context that knows whom its message is about: every log line under it has the ids. */
export function contextWithIds(ids: MessageIds, base: Context = context.active()): Context {
  return withMessageIds(base, ids);
}

/**
 * A link to the span of somebody else's trace, as W3C headers brought it; undefined when they brought
 * none. For a caller outside of the fleet: we do not put our spans into its trace.
 */
export function linkFrom(headers: Headers): Link | undefined {
  const spanContext = trace.getSpanContext(contextFrom(headers));
  return spanContext && isSpanContextValid(spanContext) ? { context: spanContext } : undefined;
}
