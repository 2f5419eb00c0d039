import type { Attributes, Context } from '@opentelemetry/api';
import type { ReadableSpan, Span, SpanProcessor } from '@opentelemetry/sdk-trace';
import { correlationOfTrace, roleIn } from './correlation.ts';
import { attributeNames } from './names.ts';
import { setOwnAttributes } from './own-attributes.ts';
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
    setOwnAttributes(span, {
      [attributeNames.correlationId]: correlationOfTrace(span.spanContext().traceId),
      [attributeNames.role]: roleIn(parentContext) ?? this.#defaultRole,
    });
  }

  onEnding(span: Span): void {
    clean(span.attributes);
    const { code, message } = span.status;
    if (message !== undefined) span.setStatus({ code, message: redact(message) });
    for (const { attributes } of span.events) if (attributes) clean(attributes);
  }

  onEnd(_span: ReadableSpan): void {}

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {}
}

/** Masks the secrets in texts. */
function clean(attributes: Attributes): void {
  for (const name of Object.keys(attributes)) {
    const value = attributes[name];
    if (typeof value === 'string') attributes[name] = redactNamed(name, value);
  }
}
