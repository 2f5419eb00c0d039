import {
  type Context,
  context,
  type Link,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { chained } from './chain-context.ts';
import { withRole } from './correlation.ts';
import { scopeName } from './instruments.ts';
import { attributeNames, type SpanName } from './names.ts';
import { type OwnAttributes, setOwnAttributes } from './own-attributes.ts';
import { redact } from './redact.ts';

/** How a span stands in its trace. */
export interface SpanOptions {
  /** Default `INTERNAL`; `PRODUCER` and `CONSUMER` at the bus, `CLIENT` at a provider. */
  readonly kind?: SpanKind;
  readonly attributes?: OwnAttributes;
  /** The context it belongs under; the active one unless given. */
  readonly parent?: Context;
  readonly links?: Link[];
  /** Begins a new trace, and so a new correlation id. */
  readonly root?: boolean;
  /** The role that acts; the active context's unless given. */
  readonly role?: string;
}

/**
 * Runs `fn` inside a new span, which ends with it. An error is recorded on the span, without secrets,
 * and thrown on.
 */
export async function withSpan<T>(
  name: SpanName,
  options: SpanOptions,
  fn: (span: Span) => Promise<T> | T,
): Promise<T> {
  const { span, inside } = openSpan(name, options);
  try {
    return await context.with(inside, () => fn(span));
  } catch (error) {
    recordError(span, error);
    throw error;
  } finally {
    span.end();
  }
}

/** A stretch of work that is known only when it is over; times are milliseconds since the Unix epoch. */
export interface PastSpan extends SpanOptions {
  readonly startMs: number;
  readonly endMs: number;
}

/** Records a span after the fact, for example the wait in a queue. */
export function recordSpan(name: SpanName, past: PastSpan): void {
  const { span } = openSpan(name, past, past.startMs);
  span.end(Math.max(past.startMs, past.endMs));
}

/** Marks a span as failed by `error`, with its code where it has one, and without secrets. */
function recordError(span: Span, error: unknown): void {
  const message = redact(error instanceof Error ? error.message : String(error));
  span.setStatus({ code: SpanStatusCode.ERROR, message });
  if (!(error instanceof Error)) {
    span.recordException(message);
    return;
  }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  if (code !== undefined) span.setAttribute(attributeNames.errorCode, code);
  span.recordException({
    name: error.name,
    message,
    ...(error.stack && { stack: redact(error.stack) }),
  });
}

function openSpan(name: SpanName, options: SpanOptions, startMs?: number) {
  const base = chained(options.parent ?? context.active());
  const parent = options.role === undefined ? base : withRole(base, options.role);
  const span = trace.getTracer(scopeName).startSpan(
    name,
    {
      kind: options.kind ?? SpanKind.INTERNAL,
      ...(options.links && { links: options.links }),
      ...(options.root !== undefined && { root: options.root }),
      ...(startMs !== undefined && { startTime: startMs }),
    },
    parent,
  );
  if (options.attributes) setOwnAttributes(span, options.attributes);
  return { span, inside: trace.setSpan(parent, span) };
}
