import type { CorrelationId } from '@starling/contracts';

/** What somebody who used a button is told, calmly and alone (features F10). */
const words = {
  not_allowed:
    'Only the person who asked, or somebody who manages messages here, can stop this answer',
  ended: 'This answer has ended already',
  unsure: 'I could not stop this answer just now. Press again in a moment',
  unknown: 'That is not something I know',
} as const;

export type PressWord = keyof typeof words;

/** The word with the id to ask about. */
export function pressText(word: PressWord, correlationId: CorrelationId): string {
  return `${words[word]} · id ${correlationId}`;
}
