/** Answers that leave the REST API: JSON, rate limits, and the pages of the edge. */
import type { ServerResponse } from 'node:http';
import type { ApiError } from './api-error.ts';
import { retryHeaders } from './limits/rate-limits.ts';

/** An answer, ready to be written. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined: no body. */
  readonly body?: string | Uint8Array;
  /** Of a 429. */
  readonly scope?: 'user' | 'global' | 'shared';
}

export function jsonReply(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  if (body === undefined) return { status, headers };
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  };
}

/** HTTP's own errors have code 0. */
export function plainError(status: 401 | 404 | 500 | 502 | 503 | 504): Reply {
  const text = {
    401: 'Unauthorized',
    404: 'Not Found',
    500: 'Internal Server Error',
    502: 'Bad Gateway',
    503: 'Service Unavailable',
    504: 'Gateway Timeout',
  }[status];
  return jsonReply(status, { message: `${status}: ${text}`, code: 0 });
}

export function apiErrorReply(error: ApiError, headers: Readonly<Record<string, string>>): Reply {
  return jsonReply(error.status, error.body(), headers);
}

/** Docs: Rate Limits, "Exceeding A Rate Limit": seconds with a fraction, in the body as in a float. */
export function rateLimitedReply(options: {
  readonly scope: 'user' | 'global' | 'shared';
  readonly retryAfterMs: number;
  readonly headers?: Readonly<Record<string, string>>;
}): Reply {
  const { scope, retryAfterMs } = options;
  const body = {
    message:
      scope === 'shared' ? 'The resource is being rate limited.' : 'You are being rate limited.',
    retry_after: Math.ceil(retryAfterMs) / 1000,
    global: scope === 'global',
    code: 0,
  };
  const headers = { ...retryHeaders(retryAfterMs, scope), ...options.headers };
  return { ...jsonReply(429, body, headers), scope };
}

/** What Cloudflare sends instead of Discord: a page, no JSON. */
export function edgePage(status: 403 | 429 | 502 | 520, retryAfterMs?: number): Reply {
  const after: Record<string, string> =
    retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) };
  const code = status === 429 ? 1015 : status;
  return {
    status,
    headers: { 'content-type': 'text/html; charset=UTF-8', server: 'cloudflare', ...after },
    body: `<!DOCTYPE html><html><head><title>Access denied | discord.com used Cloudflare to restrict access</title></head><body><h1>Error ${code}</h1></body></html>`,
  };
}

export function writeReply(response: ServerResponse, reply: Reply): void {
  if (response.destroyed || response.headersSent) return;
  const length = reply.body === undefined ? 0 : Buffer.byteLength(reply.body);
  const sized = reply.status === 204 ? {} : { 'content-length': String(length) };
  response.writeHead(reply.status, { ...reply.headers, ...sized });
  response.end(reply.body);
}
