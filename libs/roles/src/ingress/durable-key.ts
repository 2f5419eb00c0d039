/**
 * How a caller asks for a durable job: `x-starling-durable: true`, and an `Idempotency-Key` that names
 * it (draft-ietf-httpapi-idempotency-key-header). The key is a secret of its caller's as little as a
 * job's id is one of ours, but it may say much: only its hash leaves this file.
 */
import { hash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { type JobId, jobId } from '@starling/contracts';
import { type ApiProblem, requestProblem } from './api-problem.ts';

/** As it is written in errors and documents; Node has header names in small letters. */
export const keyHeader = 'Idempotency-Key';
/** Asks for a durable job; the answer says in it what the key stood for. */
export const durableHeader = 'x-starling-durable';

const maxKeyLength = 255;
/** Printable ASCII; Node has taken the space around it away. */
const keyForm = /^[\x20-\x7e]+$/;

/** The key of a durable request; undefined for one that may end with its connection. */
export function durableWish(
  headers: IncomingHttpHeaders,
): { readonly key: string } | { readonly problem: ApiProblem } | undefined {
  const wish = headers[durableHeader];
  if (wish === undefined || wish === 'false') return undefined;
  if (wish !== 'true') {
    const message = `${durableHeader} is ${JSON.stringify(wish)}: set it to true or false, or leave it out.`;
    return { problem: requestProblem('invalid_value', message, durableHeader) };
  }
  const key = headers[keyHeader.toLowerCase()];
  if (typeof key !== 'string' || key === '') {
    const message = `${keyHeader} is missing: a durable request needs a key of yours, by which you ask for its answer again.`;
    return { problem: requestProblem('missing_required_parameter', message, keyHeader) };
  }
  if (key.length <= maxKeyLength && keyForm.test(key)) return { key };
  const message = `${keyHeader} has ${key.length} characters: give it 1 to ${maxKeyLength} printable ones, such as a UUID.`;
  return { problem: requestProblem('invalid_value', message, keyHeader) };
}

const prefix = 'd-';
/** SHA-256 in base64url. */
const baseLength = prefix.length + 43;

/**
 * The job of a caller's key, on whichever ingress it is asked for. Names of callers have no colon, so
 * that no key of one caller leads to the job of another.
 */
export function keyedJobId(of: { readonly caller: string; readonly key: string }): JobId {
  return jobId.parse(`${prefix}${hash('sha256', `${of.caller}:${of.key}`, 'base64url')}`);
}

/** The job of the key whose later run this is; undefined for a job that no key names. */
export function firstRunOf(id: JobId): JobId | undefined {
  if (!id.startsWith(prefix) || id.length < baseLength) return undefined;
  return id.length === baseLength ? id : (id.slice(0, baseLength) as JobId);
}
