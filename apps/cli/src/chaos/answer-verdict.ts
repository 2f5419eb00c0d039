/** How the emulated provider opens every answer, whatever it is asked. */
const opening = 'Simulated answer from';

/** A calm refusal or an honest failure ends in the id to ask about. */
const note = /id [0-9a-f]{8}\W*$/;

/**
 * What a person sees below a question: nothing; a model's answer that is `whole`, or one that stopped
 * `halfway`; a `note` that there is no answer, with or without a part of one above it.
 */
export type AnswerVerdict = 'none' | 'whole' | 'halfway' | 'note';

/** Reads an answer as a person would. The emulated provider closes every answer with a full stop. */
export function verdictOf(text: string): AnswerVerdict {
  const shown = text.trim();
  if (shown === '') return 'none';
  if (note.test(shown)) return 'note';
  return shown.startsWith(opening) && shown.endsWith('.') ? 'whole' : 'halfway';
}
