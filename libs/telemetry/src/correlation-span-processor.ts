import type { Attributes, Context } from '@opentelemetry/api';
import type { ReadableSpan, Span, SpanProcessor } from '@opentelemetry/sdk-trace';
import { correlationOfTrace, roleIn } from './correlation.ts';
import { attributeNames } from './names.ts';
import { redact, redactNamed } from './redact.ts';

/**
 * The one processor that every span passes, first in the list: at its start it gets the correlation
 * id (features A1) and the role that acts, at its end its text loses any secret.
 */
export class CorrelationSpanProcessor implements SpanProcessor {
  readonly #defaultRole: string;

  /** @param defaultRole the role of spans made outside of any role's scope */
  constructor(defaultRole: string) {
    this.#defaultRole = defaultRole;
  }

  onStart(span: Span, parentContext: Context): void {
    span.setAttribute(attributeNames.correlationId, correlationOfTrace(span.spanContext().traceId));
    span.setAttribute(attributeNames.role, roleIn(parentContext) ?? this.#defaultRole);
  }

  onEnding(span: Span): void {
    for (const [name, value] of Object.entries(cleaned(span.attributes))) {
      span.setAttribute(name, value);
    }
    const { code, message } = span.status;
    if (message !== undefined) span.setStatus({ code, message: redact(message) });
    for (const event of span.events) {
      if (event.attributes) Object.assign(event.attributes, cleaned(event.attributes));
    }
  }

  onEnd(_span: ReadableSpan): void {}

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {}
}

/** The text attributes that change when their secrets are masked. */
function cleaned(attributes: Attributes): Record<string, string> {
  const changed: Record<string, string> = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value !== 'string') continue;
    const clean = redactNamed(name, value);
    if (clean !== value) changed[name] = clean;
  }
  return changed;
}
