/**
 * A reply as data: the waits, bytes and ending of one HTTP response, in order. A healthy reply and a
 * faulty one differ only in their steps, so faults are transformations of steps and one small
 * executor sends them all. Steps may come from a generator; an endless stream is one.
 */

import type { StreamEncoder } from './dialects/dialect.ts';
import type { AnswerPlan, PlannedChunk } from './plan-answer.ts';

export type ReplyHeaders = Readonly<Record<string, string>>;

export type Step =
  /** Waits so many milliseconds after the moment the step before was due. */
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'head'; readonly status: number; readonly headers: ReplyHeaders }
  | BytesStep
  /** The regular end of the response. */
  | { readonly kind: 'end' }
  /** Closes the connection (FIN) without the end that HTTP asks for. */
  | { readonly kind: 'cut' }
  /** Breaks the connection (TCP RST). */
  | { readonly kind: 'reset' };

export interface BytesStep {
  readonly kind: 'bytes';
  readonly data: string | Uint8Array;
  /** LLM tokens of the answer in it. */
  readonly tokens: number;
  /** Frames of a stream, or a whole body, which may be divided anywhere. */
  readonly role: 'frame' | 'body';
}

/** The steps of a healthy stream. */
export function* streamSteps(
  plan: AnswerPlan,
  encoder: StreamEncoder,
  reply: { readonly headers: ReplyHeaders; readonly withUsage: boolean },
): Generator<Step> {
  yield { kind: 'wait', ms: plan.headersAtMs };
  yield { kind: 'head', status: 200, headers: reply.headers };
  let atMs = plan.headersAtMs;
  let opening = encoder.open();
  for (const chunk of plan.chunks) {
    yield { kind: 'wait', ms: chunk.atMs - atMs };
    atMs = chunk.atMs;
    yield frame(opening + encoder.piece(chunk.part, chunk.text), chunk);
    opening = '';
  }
  yield { kind: 'wait', ms: plan.endAtMs - atMs };
  const usage = reply.withUsage ? plan.usage : undefined;
  const closing = opening + encoder.close({ finish: plan.finish, usage });
  yield { kind: 'bytes', data: closing, tokens: 0, role: 'frame' };
  yield { kind: 'end' };
}

const frame = (data: string, chunk: PlannedChunk): Step => ({
  kind: 'bytes',
  data,
  tokens: chunk.tokens,
  role: 'frame',
});

/** The steps of a reply that is sent whole. */
export function* bodySteps(reply: {
  readonly afterMs: number;
  readonly status: number;
  readonly headers: ReplyHeaders;
  readonly body: string;
  readonly tokens: number;
}): Generator<Step> {
  yield { kind: 'wait', ms: reply.afterMs };
  const length = String(Buffer.byteLength(reply.body));
  yield {
    kind: 'head',
    status: reply.status,
    headers: { ...reply.headers, 'content-length': length },
  };
  yield { kind: 'bytes', data: reply.body, tokens: reply.tokens, role: 'body' };
  yield { kind: 'end' };
}
