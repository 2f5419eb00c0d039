/** Nobody waits longer for one provider, whatever it asks for. */
export const maxRetryAfterMs = 3_600_000;

/**
 * Milliseconds that a response asks to wait: `retry-after-ms` (OpenAI), or `Retry-After` in seconds
 * or as a date (RFC 9110, 10.2.3). Undefined when there is none or it does not read.
 */
export function retryAfterMsOf(
  header: (name: string) => string | undefined,
  nowMs: number,
): number | undefined {
  const exact = Number(header('retry-after-ms') ?? Number.NaN);
  if (Number.isFinite(exact)) return bounded(exact);
  const text = header('retry-after');
  if (text === undefined) return undefined;
  const seconds = Number(text);
  if (text.trim() !== '' && Number.isFinite(seconds)) return bounded(seconds * 1000);
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? undefined : bounded(atMs - nowMs);
}

function bounded(ms: number): number {
  return Math.min(Math.max(0, Math.ceil(ms)), maxRetryAfterMs);
}
