/** Tells whether two requests ask for the same answer, and if not, by which field they differ. */
import { hash } from 'node:crypto';
import type { IngressOrigin } from '@starling/contracts';
import type { ChatRequest } from './chat-request.ts';

/** A hash of each field that changes the answer, by its name in the request; what is absent has none. */
export type Fingerprint = NonNullable<IngressOrigin['fingerprint']>;

/** 72 bits: enough that two fields that differ are told apart, short enough to stand in every end. */
const digestLength = 12;

/**
 * Of a request as it was read: spelling, order and what the fleet leaves alone make no difference, nor
 * does how the answer is to be sent (`stream`, `stream_options`).
 */
export function fingerprintOf(request: ChatRequest): Fingerprint {
  const { lane, maxCompletionTokens, messages, model, sampling = {} } = request;
  const fields = {
    model,
    messages,
    max_completion_tokens: maxCompletionTokens,
    service_tier: lane === 'batch' ? 'flex' : undefined,
    temperature: sampling.temperature,
    top_p: sampling.topP,
    stop: sampling.stop,
    seed: sampling.seed,
    frequency_penalty: sampling.frequencyPenalty,
    presence_penalty: sampling.presencePenalty,
  };
  const fingerprint: Fingerprint = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) fingerprint[name] = digest(value);
  }
  return fingerprint;
}

function digest(value: unknown): string {
  return hash('sha256', JSON.stringify(value), 'base64url').slice(0, digestLength);
}

/** The first field by which they differ; none when an older version left no fingerprint. */
export function differingField(
  asked: Fingerprint,
  before: Fingerprint | undefined,
): string | undefined {
  if (!before) return undefined;
  const names = [...Object.keys(before), ...Object.keys(asked)];
  return names.find((name) => asked[name] !== before[name]);
}
