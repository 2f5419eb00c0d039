import { bodySteps, type ReplyHeaders, type Step } from '../reply-steps.ts';
import type { StruckReply } from './apply-fault.ts';
import type { Fault } from './fault.ts';

/** What a provider says with each status, when the rule says nothing else. */
const usualMessages: Readonly<Record<number, string>> = {
  400: 'The request is not valid (simulated).',
  401: 'Incorrect API key provided (simulated).',
  402: 'Insufficient credits (simulated).',
  403: 'This key may not use the model (simulated).',
  404: 'The model does not exist (simulated).',
  408: 'The request took too long to arrive (simulated).',
  429: 'Rate limit reached (simulated).',
  500: 'The server had an error (simulated).',
  503: 'The engine is overloaded (simulated).',
  529: 'Overloaded (simulated).',
};

const edgePage = (status: number) =>
  `<html>\r\n<head><title>${status} Bad Gateway</title></head>\r\n<body>\r\n<center><h1>${status} Bad Gateway</h1></center>\r\n<hr><center>simulated-edge</center>\r\n</body>\r\n</html>\r\n`;

/** The steps of a refusal with a status. */
export function refusalSteps(
  fault: Extract<Fault, { kind: 'status' }>,
  reply: StruckReply,
): Iterable<Step> {
  const { status, retryAfterS } = fault;
  const html = fault.html ?? status === 502;
  const message = fault.message ?? usualMessages[status] ?? `Simulated failure ${status}.`;
  const code = status === 404 ? { code: 'model_not_found' } : {};
  const headers: ReplyHeaders = {
    'content-type': html ? 'text/html' : 'application/json',
    ...(retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) }),
    ...reply.limitHeaders(fault.limits),
    ...fault.headers,
  };
  const body = html ? edgePage(status) : reply.errorBody({ status, message, ...code });
  return bodySteps({ afterMs: fault.afterMs, status, headers, body, tokens: 0 });
}
