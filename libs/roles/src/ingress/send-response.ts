import type { ServerResponse } from 'node:http';
import { type ApiProblem, problemBody } from './api-problem.ts';

/** Answers with a body in one piece; headers that were set before stay. */
export function sendBody(
  response: ServerResponse,
  status: number,
  body: string,
  type = 'application/json; charset=utf-8',
): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

/** Answers with a problem, and with when to come back. */
export function sendProblem(response: ServerResponse, problem: ApiProblem): void {
  const { status, retry, retryAfterMs } = problem;
  // Read by the openai clients, which would otherwise try again by the status alone.
  response.setHeader('x-should-retry', String(retry));
  if (retryAfterMs !== undefined) {
    response.setHeader('retry-after', Math.ceil(retryAfterMs / 1000));
    response.setHeader('retry-after-ms', Math.ceil(retryAfterMs));
  }
  if (status === 401) response.setHeader('www-authenticate', 'Bearer');
  sendBody(response, status, problemBody(problem));
}
