import type { Span } from '@opentelemetry/api';

type Plain = string | number | boolean;

/** Attributes as our own code sets them. */
export type OwnAttributes = Readonly<Record<string, Plain | readonly Plain[] | undefined>>;

/**
 * Puts attributes onto a span, as they are. The SDK's own way looks, for every single one, with a new
 * WeakSet whether the value is a cycle; ours cannot be one by their type. A span that records nothing
 * has no attributes, and takes none.
 */
export function setOwnAttributes(span: Span, attributes: OwnAttributes): void {
  const written = (span as { readonly attributes?: Record<string, unknown> }).attributes;
  if (written === undefined) return;
  for (const name of Object.keys(attributes)) {
    const value = attributes[name];
    if (value !== undefined) written[name] = value;
  }
}
