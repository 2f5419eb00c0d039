import type { Attributes, AttributeValue, Span } from '@opentelemetry/api';

/** As a span of the SDK has them. */
type Written = Record<string, AttributeValue>;

/**
 * Puts attributes onto a span, as they are. The SDK's own way looks, for every single one, with a new
 * WeakSet whether the value is a cycle; ours are texts, numbers and lists of them by their types. A
 * span that records nothing has no attributes, and takes none.
 */
export function setOwnAttributes(span: Span, attributes: Attributes): void {
  const written = (span as { readonly attributes?: Written }).attributes;
  if (written === undefined) return;
  for (const name of Object.keys(attributes)) {
    const value = attributes[name];
    if (value !== undefined) written[name] = value;
  }
}
