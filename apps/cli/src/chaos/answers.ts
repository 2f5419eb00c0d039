/** What stands below each question, as people see it. */
import { type AnswerVerdict, verdictOf } from './answer-verdict.ts';
import type { DiscordSide } from './discord-side.ts';

/** What a person sees below one question. */
export interface SeenAnswer {
  readonly verdict: AnswerVerdict;
  readonly text: string;
  /** From the question to the first visible text, milliseconds; null before there is one. */
  readonly firstTextMs: number | null;
  /** From the question to the last change of what stands there; null before there was any. */
  readonly lastChangeMs: number | null;
}

/** Questions asked about at once. */
const atOnce = 16;

/** Looks at every question once. */
export async function readAnswers(
  discord: Pick<DiscordSide, 'answer'>,
  ids: readonly string[],
): Promise<Map<string, SeenAnswer>> {
  const seen = new Map<string, SeenAnswer>();
  const waiting = [...ids];
  const reader = async () => {
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      const { answered, firstTextMs, lastChangeMs, text } = await discord.answer(id);
      // A place in line is no answer, however it reads.
      const verdict = answered ? verdictOf(text) : 'none';
      seen.set(id, { verdict, text, firstTextMs, lastChangeMs });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, reader));
  return seen;
}
