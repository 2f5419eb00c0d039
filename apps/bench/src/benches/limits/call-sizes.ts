import type { Random } from '@starling/clock';

/** LLM tokens a minute that all callers share. */
export const tokensPerMinute = 100_000;
export const processes = 8;

/** LLM tokens of a call's answer, and what it may have: a fifth more than it uses at most. */
export function callSize(random: Random): { readonly answer: number; readonly most: number } {
  const answer = 180 + random.integer(1_300);
  return { answer, most: Math.floor(answer * (1 + 0.2 * random.next())) };
}
