import type { CallKey, IngressOrigin, Job, JobId } from '@starling/contracts';
import { type AskedOfModel, callKeyOf } from '@starling/jobs';
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
  const callKey = callKeyOfRequest(request, of.origin.caller);
  return {
    ...of,
    lane: request.lane,
    ...askedBy(request),
    ...(callKey !== undefined && { callKey }),
  };
}

/** The key under which a request may share a call with others of its caller; absent unless it asks for that. */
export function callKeyOfRequest(request: ChatRequest, caller: string): CallKey | undefined {
  return request.shares ? callKeyOf(askedBy(request), { kind: 'caller', caller }) : undefined;
}

function askedBy({ maxCompletionTokens, messages, model, sampling }: ChatRequest): AskedOfModel {
  return {
    messages: [...messages],
    ...(model !== defaultModelName && { model }),
    maxCompletionTokens,
    ...(sampling && { sampling }),
  };
}
