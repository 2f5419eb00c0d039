import type { CallTrace } from '../load/load-plan.ts';
import { promptHash } from './prompt-hash.ts';
import type { ProviderRequest } from './provider.ts';

/** A call as its client saw it, with what the provider saw of it. */
export interface JoinedCall {
  readonly call: CallTrace;
  /** Each try of a job is a request of its own; none when it never came to the provider. */
  readonly requests: readonly ProviderRequest[];
}

/** Ties calls to the provider's requests by their prompts, each of which is asked once only. */
export function joinCalls(
  calls: readonly CallTrace[],
  requests: readonly ProviderRequest[],
  model: string,
): readonly JoinedCall[] {
  const byHash = Map.groupBy(requests, (request) => request.promptHash);
  return calls.map((call) => ({
    call,
    requests: byHash.get(promptHash(model, call.prompt)) ?? [],
  }));
}
