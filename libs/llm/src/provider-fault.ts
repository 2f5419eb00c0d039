/** What can go wrong at a provider, in the closed set of job error codes, with the detail for people. */
import type { ErrorCode } from '@starling/contracts';
import { ConnectionError, PoolError } from '@starling/pool';

/** A failed call as data. Its fields are codes and numbers only: no text of the provider, no key. */
export interface ProviderFault {
  readonly code: ErrorCode;
  /** Stable word for the cause: `http_500`, `first_token_timeout`, `connection_reset`, … */
  readonly detail: string;
  /** May the same call succeed if it is tried again? */
  readonly retryable: boolean;
  /** The provider asked not to be called again before this many milliseconds. */
  readonly retryAfterMs?: number;
}

/** Carries a fault out of a reader; never leaves this library. */
export class ProviderFaultError extends Error {
  override readonly name = 'ProviderFaultError';
  readonly fault: ProviderFault;

  constructor(fault: ProviderFault) {
    super(fault.detail);
    this.fault = fault;
  }
}

type Meaning = Pick<ProviderFault, 'code' | 'retryable'>;

const unavailable: Meaning = { code: 'provider_unavailable', retryable: true };
const refused: Meaning = { code: 'provider_refused', retryable: false };
/** Our account, not the question: no use in trying again, no fault of the user. */
const misconfigured: Meaning = { code: 'provider_unavailable', retryable: false };

/** The words of OpenAI and of Anthropic. */
const emptyAccounts: ReadonlySet<string> = new Set([
  'insufficient_quota',
  'enforced_spend_limit_reached',
]);
/** Ours, for a prompt that OpenRouter's moderation flagged. */
const moderated = 'flagged_input';

/** HTTP status → what it means. Others: 4xx refused, everything else unavailable. */
const statusMeanings: Readonly<Record<number, Meaning>> = {
  401: misconfigured,
  402: misconfigured,
  403: misconfigured,
  404: misconfigured,
  408: { code: 'provider_timeout', retryable: true },
  409: unavailable,
  425: unavailable,
  429: { code: 'provider_limited', retryable: true },
  501: misconfigured,
  504: { code: 'provider_timeout', retryable: true },
  // Anthropic and some gateways: overloaded.
  529: { code: 'provider_limited', retryable: true },
};

/**
 * The fault of an HTTP status.
 * @param providerCode the provider's own error code, if it sent one that is safe to show
 */
export function faultOfStatus(
  status: number,
  options: {
    readonly providerCode?: string | undefined;
    readonly retryAfterMs?: number | undefined;
  },
): ProviderFault {
  const isRefusal = status >= 400 && status < 500;
  const { providerCode, retryAfterMs } = options;
  return {
    ...(statusMeanings[status] ?? (isRefusal ? refused : unavailable)),
    // A 429 for an empty account, or a spent budget: waiting does not help.
    ...(providerCode !== undefined && emptyAccounts.has(providerCode) && misconfigured),
    // A 403 for what the user wrote: the key is as good as before.
    ...(providerCode === moderated && refused),
    detail: providerCode ? `http_${status}_${providerCode}` : `http_${status}`,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}

/** The fault of an error object inside a stream, whose status line said 200. */
export function faultInStream(providerCode: string | undefined): ProviderFault {
  const status = providerCode && /^[45]\d\d$/.test(providerCode) ? Number(providerCode) : undefined;
  if (status !== undefined)
    return { ...faultOfStatus(status, {}), detail: `stream_error_${status}` };
  const limited = providerCode !== undefined && /rate_?limit|overloaded/.test(providerCode);
  return {
    code: limited ? 'provider_limited' : 'provider_unavailable',
    retryable: true,
    detail: providerCode ? `stream_error_${providerCode}` : 'stream_error',
  };
}

/** The fault of a connection, of the pool, or of a reader that gave up. */
export function faultOfError(error: unknown): ProviderFault {
  if (error instanceof ProviderFaultError) return error.fault;
  if (error instanceof ConnectionError) {
    return error.code === 'connect_timeout'
      ? { code: 'provider_timeout', retryable: true, detail: 'connect_timeout' }
      : { ...unavailable, detail: `connection_${error.code}` };
  }
  if (error instanceof PoolError) {
    return { code: 'too_busy', retryable: true, detail: `pool_${error.code}` };
  }
  return { code: 'internal', retryable: false, detail: 'internal' };
}

/** The same fault once text had been shown: what is left to say is that the answer broke off. */
export function faultAfterText(fault: ProviderFault): ProviderFault {
  const keeps = fault.code === 'cancelled' || fault.detail === 'total_timeout';
  return keeps ? fault : { ...fault, code: 'answer_cut' };
}

const codePattern = /^[A-Za-z][\w.-]{0,63}$|^\d{3}$/;

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/**
 * The provider's own code in an error object, if it is a plain word: `{"error": {"code", "type"}}`
 * (OpenAI, OpenRouter, Anthropic, which may add `details.error_code`) or `{"error": "text"}` (Ollama, no code). Its message is never taken: servers
 * have been seen to repeat the key in it.
 */
export function providerCodeIn(body: unknown, secret: string | undefined): string | undefined {
  if (typeof body !== 'object' || body === null || !('error' in body)) return undefined;
  const { error } = body;
  if (typeof error !== 'object' || error === null) return undefined;
  const fields = error as Readonly<Record<string, unknown>>;
  if (isRecord(fields.metadata) && 'flagged_input' in fields.metadata) return moderated;
  const details = isRecord(fields.details) ? fields.details : {};
  for (const value of [details.error_code, fields.code, fields.type]) {
    const text = typeof value === 'number' ? String(value) : value;
    if (typeof text !== 'string' || !codePattern.test(text)) continue;
    if (secret === undefined || !(text.includes(secret) || secret.includes(text))) return text;
  }
  return undefined;
}
