import type { ProviderFault } from '../provider-fault.ts';

/**
 * Whom a failed call speaks against.
 * - `server`: this provider or model, as a whole.
 * - `key_limited`: the key has used up what it may for now. `key_refused`: the key serves nobody.
 * - `request`: what was asked; it would be refused elsewhere as well.
 * - `nobody`: the caller left, or no connection of ours was free.
 */
export type Blame = 'server' | 'key_limited' | 'key_refused' | 'request' | 'nobody';

const refusedKeys: ReadonlySet<string> = new Set(['401', '402', '403']);

/** Status of the response, or of the error object inside it. */
const statusIn = /^(?:http|stream_error)_(\d{3})(?:_|$)/;

/** The words of OpenAI and of Anthropic for the same, where an error has no status. */
const refusalWords =
  /insufficient_quota|enforced_spend_limit|(?:authentication|billing|permission)_error/;
const limitWords = /rate_?limit/;

/** Whom to blame for a fault. */
export function blameOf({ code, detail, retryable }: ProviderFault): Blame {
  if (code === 'cancelled' || code === 'too_busy') return 'nobody';
  if (code === 'provider_refused' || code === 'internal') return 'request';
  // The model spent all that it may write on thinking.
  if (detail === 'empty_answer' && !retryable) return 'request';
  const status = statusIn.exec(detail)?.[1];
  if (status !== undefined && refusedKeys.has(status)) return 'key_refused';
  if (refusalWords.test(detail)) return 'key_refused';
  if (status === '429' || limitWords.test(detail)) return 'key_limited';
  return 'server';
}

const stalls: ReadonlySet<string> = new Set([
  'first_token_timeout',
  'idle_timeout',
  'total_timeout',
]);

/** The call was answered by silence: to ask the same rung again would cost as much once more. */
export function isStall({ detail }: ProviderFault): boolean {
  return stalls.has(detail);
}
