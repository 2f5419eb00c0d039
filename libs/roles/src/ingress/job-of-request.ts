import type { IngressOrigin, Job, JobId } from '@starling/contracts';
import { type ChatRequest, defaultModelName } from './chat-request.ts';

/** A request as a job of the fleet. */
export function jobOfRequest(
  request: ChatRequest,
  of: {
    readonly jobId: JobId;
    readonly origin: IngressOrigin;
    readonly acceptedAtMs: number;
    readonly deadlineAtMs: number;
  },
): Job & { readonly origin: IngressOrigin } {
  const { lane, maxCompletionTokens, messages, model, sampling } = request;
  return {
    ...of,
    lane,
    messages: [...messages],
    ...(model !== defaultModelName && { model }),
    maxCompletionTokens,
    ...(sampling && { sampling }),
  };
}
