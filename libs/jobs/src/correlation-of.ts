import { type Headers, headerNames } from '@starling/contracts';

/** The W3C trace id of a message, 32 hex digits, as its headers say (w3.org/TR/trace-context). */
export function traceIdOf(headers: Headers): string | undefined {
  const [, traceId] =
    /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(headers[headerNames.traceparent] ?? '') ?? [];
  return traceId;
}

/** What people call its action: the first 8 digits of the trace id (features A1). */
export function correlationOf(headers: Headers): string | undefined {
  return headers[headerNames.correlationId] ?? traceIdOf(headers)?.slice(0, 8);
}
