/**
 * What a context says about the message it serves. It travels in three headers of the bus: W3C trace
 * context, W3C baggage, and the correlation id in clear for people who read a stream with `nats sub`.
 */
import { type Context, createContextKey, propagation, trace } from '@opentelemetry/api';
import { type CorrelationId, correlationId } from '@starling/contracts';
import { chained, emptyContext } from './chain-context.ts';
import { baggageNames } from './names.ts';

const correlationKey = createContextKey('starling.correlation_id');
const roleKey = createContextKey('starling.role');

/** Whom a message is about; absent where unknown, no guild in a direct message. */
export interface MessageIds {
  readonly guildId?: string | undefined;
  readonly userId?: string | undefined;
  readonly messageId?: string | undefined;
}

/** First 8 hex digits of a W3C trace id (features A1). */
export function correlationOfTrace(traceId: string): CorrelationId {
  const id = traceId.slice(0, 8);
  // Asked several times a message in every process; the schema has the words when it is none.
  return /^[0-9a-f]{8}$/.test(id) ? (id as CorrelationId) : correlationId.parse(id);
}

/**
 * The correlation id of a context: from its trace, else as a header brought it; undefined outside of
 * any message.
 */
export function correlationIdIn(context: Context): CorrelationId | undefined {
  const spanContext = trace.getSpanContext(context);
  if (spanContext && trace.isSpanContextValid(spanContext)) {
    return correlationOfTrace(spanContext.traceId);
  }
  const brought = correlationId.safeParse(context.getValue(correlationKey));
  return brought.success ? brought.data : undefined;
}

/** For a message whose sender knew its correlation id but no trace. */
export function withCorrelationId(context: Context, id: CorrelationId): Context {
  return context.setValue(correlationKey, id);
}

/** The role that acts in this context, if a scope said so. */
export function roleIn(context: Context): string | undefined {
  const role = context.getValue(roleKey);
  return typeof role === 'string' ? role : undefined;
}

/** The same context with another role acting in it. */
export function withRole(context: Context, role: string): Context {
  return context.getValue(roleKey) === role ? context : chained(context).setValue(roleKey, role);
}

/** Puts ids into the context's baggage, so that every log line under it, in any process, has them. */
export function withMessageIds(context: Context, ids: MessageIds): Context {
  let baggage = propagation.getBaggage(context) ?? propagation.createBaggage();
  for (const name of ['guildId', 'userId', 'messageId'] as const) {
    const value = ids[name];
    if (value !== undefined) baggage = baggage.setEntry(baggageNames[name], { value });
  }
  return propagation.setBaggage(context, baggage);
}

/** The ids in a context's baggage. */
export function messageIdsIn(context: Context): MessageIds {
  const baggage = propagation.getBaggage(context);
  return {
    guildId: baggage?.getEntry(baggageNames.guildId)?.value,
    userId: baggage?.getEntry(baggageNames.userId)?.value,
    messageId: baggage?.getEntry(baggageNames.messageId)?.value,
  };
}

/** A context of nobody, in the role that acts now: where a message from the bus begins. */
export function freshContext(role: string | undefined): Context {
  return role === undefined ? emptyContext : withRole(emptyContext, role);
}
