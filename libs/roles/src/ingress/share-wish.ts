/**
 * How a caller says that a request may be answered by the call of an equal one of the same API key, or
 * by its answer of the last seconds (features A8): `x-starling-coalesce: true`. Over HTTP it is on
 * request only, since a program that asks the same twice may want two answers.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { type ApiProblem, requestProblem } from './api-problem.ts';

/** Node has header names in small letters. */
const shareHeader = 'x-starling-coalesce';

/** Whether the request may be answered so. */
export function shareWish(
  headers: IncomingHttpHeaders,
): { readonly shares: boolean } | { readonly problem: ApiProblem } {
  const wish = headers[shareHeader];
  if (wish === undefined || wish === 'false') return { shares: false };
  if (wish === 'true') return { shares: true };
  const message = `${shareHeader} is ${JSON.stringify(wish)}: set it to true or false, or leave it out.`;
  return { problem: requestProblem('invalid_value', message, shareHeader) };
}
