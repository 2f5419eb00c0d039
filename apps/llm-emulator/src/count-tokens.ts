/**
 * The emulator's tokenizer: an approximation that is simple, stable and reversible, so that what is
 * streamed piece by piece counts exactly as the whole text does. A piece is the white space before
 * it and then up to 8 Latin letters, or up to 2 letters of another script, or up to 3 digits, or one
 * other character; about 4.5 characters of English, as with the real ones. White space at the very
 * end is a piece of its own. The pieces of a text joined are the text.
 */
const piecePattern = /\s*(?:\p{Script=Latin}{1,8}|\p{L}{1,2}|\p{N}{1,3}|[^\s\p{L}\p{N}])|\s+/gu;

/** The text cut into its pieces, one LLM token each. */
export function splitTokens(text: string): readonly string[] {
  return text.match(piecePattern) ?? [];
}

/** How many LLM tokens the text counts as. */
export function countTokens(text: string): number {
  return splitTokens(text).length;
}
