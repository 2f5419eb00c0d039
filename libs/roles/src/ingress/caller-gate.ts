import type { IncomingHttpHeaders } from 'node:http';
import { type ApiKey, callerOf } from './api-keys.ts';
import { type ApiProblem, requestProblem } from './api-problem.ts';

/** Whom callers without a key are. */
const localCaller = 'local';

const loopbackHosts = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Who asks, or why nobody is let in. Without keys the door listens on loopback only, and then the `Host`
 * must be loopback too: a page in somebody's browser may reach this port under a name of its own (DNS
 * rebinding), and must not spend the fleet's money.
 */
export function callerOrProblem(
  headers: IncomingHttpHeaders,
  keys: readonly ApiKey[],
): { readonly caller: string } | { readonly problem: ApiProblem } {
  if (keys.length === 0) {
    const host = headers.host?.replace(/:\d+$/, '').toLowerCase() ?? '';
    if (loopbackHosts.has(host)) return { caller: localCaller };
    const message = 'Without API keys only http://localhost may be asked: configure a key.';
    return { problem: requestProblem('host_not_allowed', message) };
  }
  const caller = callerOf(headers.authorization, keys);
  if (caller !== undefined) return { caller };
  const message =
    headers.authorization === undefined
      ? 'There is no API key: send it as "Authorization: Bearer KEY".'
      : 'This API key is not known here.';
  return { problem: requestProblem('invalid_api_key', message) };
}
