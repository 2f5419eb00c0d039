/**
 * What a caller is told when it gets no answer: the shape of OpenAI's errors
 * (platform.openai.com/docs/guides/error-codes), with stable codes of our own where OpenAI has none.
 */
import { type ErrorCode, errorCodes, errorMeanings } from '@starling/contracts';

interface Meaning {
  readonly status: number;
  /** May the same request succeed later? Clients are told, whatever they would think of the status. */
  readonly retry: boolean;
  /** When to come back if nobody said when, milliseconds. */
  readonly retryAfterMs?: number;
}

/** Codes of requests that never became a job. */
const requestMeanings = {
  invalid_api_key: { status: 401, retry: false },
  host_not_allowed: { status: 403, retry: false },
  unknown_url: { status: 404, retry: false },
  method_not_allowed: { status: 405, retry: false },
  unsupported_media_type: { status: 415, retry: false },
  body_too_large: { status: 413, retry: false },
  invalid_json: { status: 400, retry: false },
  missing_required_parameter: { status: 400, retry: false },
  invalid_value: { status: 400, retry: false },
  unsupported_parameter: { status: 400, retry: false },
  context_length_exceeded: { status: 400, retry: false },
  idempotency_key_reused: { status: 422, retry: false },
  too_many_in_flight: { status: 429, retry: true, retryAfterMs: 1_000 },
  rate_limit_exceeded: { status: 429, retry: true, retryAfterMs: 1_000 },
  shutting_down: { status: 503, retry: true, retryAfterMs: 100 },
} as const satisfies Record<string, Meaning>;

/** Codes of jobs: the fleet's own. */
const jobMeanings: Readonly<Record<ErrorCode, Meaning>> = {
  provider_unavailable: { status: 502, retry: true },
  provider_timeout: { status: 504, retry: true },
  provider_refused: { status: 400, retry: false },
  provider_limited: { status: 429, retry: true, retryAfterMs: 5_000 },
  answer_cut: { status: 502, retry: true },
  deadline_exceeded: { status: 504, retry: true },
  model_not_found: { status: 404, retry: false },
  no_worker: { status: 503, retry: true, retryAfterMs: 1_000 },
  too_busy: { status: 429, retry: true, retryAfterMs: 2_000 },
  user_busy: { status: 429, retry: true, retryAfterMs: 2_000 },
  too_long: { status: 400, retry: false },
  empty: { status: 400, retry: false },
  cancelled: { status: 409, retry: false },
  // What took a worker down in each attempt would do so again.
  gave_up: { status: 500, retry: false },
  internal: { status: 500, retry: true },
};

/** Why a request never became a job. */
export type RequestErrorCode = keyof typeof requestMeanings;
/** Any code that a caller may be told; stable. */
export type ApiErrorCode = RequestErrorCode | ErrorCode;

/** A refusal or a failure, ready to be told. */
export interface ApiProblem {
  readonly code: ApiErrorCode;
  readonly status: number;
  /** OpenAI's coarse class, from the status. */
  readonly type: string;
  /** What is wrong and what to do about it; no internals. */
  readonly message: string;
  /** The field of the request that is wrong. */
  readonly param: string | null;
  readonly retry: boolean;
  /** When to ask again, milliseconds. */
  readonly retryAfterMs: number | undefined;
}

/** A request that cannot become a job. */
export function requestProblem(
  code: RequestErrorCode,
  message: string,
  param: string | null = null,
): ApiProblem {
  const meaning: Meaning = requestMeanings[code];
  return problem({ code, message, param, ...meaning });
}

/** A job that was refused or failed. @param retryAfterMs when to ask again, if somebody knows */
export function jobProblem(code: ErrorCode, retryAfterMs?: number): ApiProblem {
  const known = retryAfterMs ? { retryAfterMs } : {};
  const message = errorMeanings[code].userText;
  const param = code === 'model_not_found' ? 'model' : null;
  return problem({ code, message, param, ...jobMeanings[code], ...known });
}

/** A model that nobody serves, told before a job was made of the request. */
export function modelProblem(message: string): ApiProblem {
  return { ...jobProblem('model_not_found'), message };
}

/** The same job failed before, and what failed it would fail it again: not to be retried. */
export function finalProblem(failed: ApiProblem): ApiProblem {
  return { ...failed, retry: false, retryAfterMs: undefined };
}

function problem(
  about: Meaning & {
    readonly code: ApiErrorCode;
    readonly message: string;
    readonly param: string | null;
  },
): ApiProblem {
  return { ...about, type: typeOf(about.status), retryAfterMs: about.retryAfterMs };
}

function typeOf(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 429) return 'rate_limit_error';
  return status < 500 ? 'invalid_request_error' : 'server_error';
}

/** The body of an error response, and the data of an error event. */
export function problemBody({ message, type, param, code }: ApiProblem): string {
  return JSON.stringify({ error: { message, type, param, code } });
}

/** Every code that a caller may meet, for tests and the docs. */
export const apiErrorCodes: readonly ApiErrorCode[] = [
  ...(Object.keys(requestMeanings) as RequestErrorCode[]),
  ...errorCodes,
];
