/** Turns a request into a schedule, with no socket and no clock, so that timing is tested as arithmetic. */
import type { Random } from '@starling/clock';
import type { ChatRequest } from './chat-request.ts';
import { type AnswerToken, composeAnswer } from './compose-answer.ts';
import { drawLognormal } from './lognormal.ts';
import type { ModelProfile } from './profile.ts';

/** One piece of a stream. Times are milliseconds after the request. */
export interface PlannedChunk {
  readonly atMs: number;
  readonly part: AnswerToken['part'];
  readonly text: string;
  /** LLM tokens in it. */
  readonly tokens: number;
}

/** Usage as a provider bills it, in LLM tokens. */
export interface Usage {
  readonly promptTokens: number;
  /** Reasoning included. */
  readonly completionTokens: number;
  readonly reasoningTokens: number;
}

/** When each part of an answer is due and what it says. */
export interface AnswerPlan {
  /** When the headers of a stream are sent; never after the first chunk. */
  readonly headersAtMs: number;
  readonly chunks: readonly PlannedChunk[];
  readonly endAtMs: number;
  /** `length` when the request's `maxTokens` or the model's context cut the answer. */
  readonly finish: 'stop' | 'length';
  readonly usage: Usage;
  /** Distance between tokens. */
  readonly tokenMs: number;
}

/**
 * Plans the answer: words from the request's hash, delays from `random` (always six numbers of it, so
 * that the draws of later requests do not depend on this one's length). A chunk is due when its last
 * token is, the first token at the drawn time to first token.
 */
export function planAnswer(
  request: ChatRequest,
  profile: { readonly model: ModelProfile; readonly timeScale: number },
  random: Random,
): AnswerPlan {
  const { model, timeScale } = profile;
  const drawnHeadersMs = drawLognormal(model.headersMs, random) * timeScale;
  const firstTokenMs = drawLognormal(model.firstTokenMs, random) * timeScale;
  const tokenMs = (1000 / drawLognormal(model.tokensPerSecond, random)) * timeScale;

  const answer = composeAnswer(request, model);
  const room = Math.max(1, model.contextTokens - request.promptTokens);
  const limit = Math.min(request.maxTokens ?? Number.POSITIVE_INFINITY, room);
  const tokens = answer.slice(0, limit);
  const chunks: PlannedChunk[] = [];
  for (let from = 0; from < tokens.length; ) {
    const part = tokens[from]?.part ?? 'text';
    let to = from;
    let text = '';
    while (to < tokens.length && to - from < model.tokensPerChunk && tokens[to]?.part === part) {
      text += tokens[to]?.text;
      to++;
    }
    chunks.push({ atMs: firstTokenMs + (to - 1) * tokenMs, part, text, tokens: to - from });
    from = to;
  }
  return {
    headersAtMs: Math.min(drawnHeadersMs, chunks[0]?.atMs ?? firstTokenMs),
    chunks,
    endAtMs: chunks.at(-1)?.atMs ?? firstTokenMs,
    finish: tokens.length < answer.length ? 'length' : 'stop',
    usage: {
      promptTokens: request.promptTokens,
      completionTokens: tokens.length,
      reasoningTokens: tokens.filter(({ part }) => part === 'reasoning').length,
    },
    tokenMs,
  };
}
