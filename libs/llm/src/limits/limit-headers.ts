/**
 * What a provider tells of its limits in the headers of a response: `x-ratelimit-{limit,remaining,reset}-
 * {requests,tokens}` (platform.openai.com/docs/guides/rate-limits; OpenRouter, vLLM gateways and most others
 * send the same).
 */
export interface ToldLimit {
  readonly permits: number | undefined;
  readonly remaining: number | undefined;
  /** Until the limit is as full as can be, milliseconds. */
  readonly resetMs: number | undefined;
}

export interface ToldLimits {
  readonly requests: ToldLimit | undefined;
  readonly tokens: ToldLimit | undefined;
}

type Header = (name: string) => string | undefined;

/** Undefined when the response tells nothing of them. */
export function toldLimitsOf(header: Header): ToldLimits | undefined {
  const requests = toldLimit(header, 'requests');
  const tokens = toldLimit(header, 'tokens');
  return requests || tokens ? { requests, tokens } : undefined;
}

function toldLimit(header: Header, of: 'requests' | 'tokens'): ToldLimit | undefined {
  const permits = wholeOf(header(`x-ratelimit-limit-${of}`));
  const remaining = wholeOf(header(`x-ratelimit-remaining-${of}`));
  if (permits === undefined && remaining === undefined) return undefined;
  return { permits, remaining, resetMs: durationMsOf(header(`x-ratelimit-reset-${of}`)) };
}

function wholeOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,12}$/.test(text.trim()) ? Number(text) : undefined;
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** `6m0s`, `1.5s`, `120ms` (Go's durations), or plain seconds. */
function durationMsOf(text: string | undefined): number | undefined {
  const trimmed = text?.trim() ?? '';
  if (/^\d+(?:\.\d+)?$/.test(trimmed)) return Math.ceil(Number(trimmed) * 1_000);
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(trimmed)) return undefined;
  let totalMs = 0;
  for (const [, amount, unit] of trimmed.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    totalMs += Number(amount) * (units[unit ?? ''] ?? 0);
  }
  return Math.ceil(totalMs);
}
