/** Characters a LLM token stands for on average in English; the one rule of thumb used everywhere. */
const charactersPerToken = 4;

/** A guess at the LLM tokens of a text; providers count for themselves and correct it at the end. */
export function estimateTokens(text: string): number {
  return Math.ceil(text.length / charactersPerToken);
}

/** The end of a text that fits into `tokens`, or the beginning; never half of a surrogate pair. */
export function cutToTokens(text: string, tokens: number): string {
  const length = tokens * charactersPerToken;
  if (text.length <= length) return text;
  const last = text.charCodeAt(length - 1);
  const splitsPair = last >= 0xd800 && last <= 0xdbff;
  return `${text.slice(0, Math.max(0, splitsPair ? length - 2 : length - 1))}…`;
}
