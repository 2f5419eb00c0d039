import type { ChatMessage } from '@starling/contracts';

/** Up to 4 Latin letters, one letter of another script, up to 3 digits, or one other character. */
const piece = /\p{Script=Latin}{1,4}|\p{L}|\p{N}{1,3}|[^\s\p{L}\p{N}]/gu;
/** What a chat template adds to each message, and once more to the whole. */
const perMessage = 8;

/**
 * More LLM tokens than a prompt has by any usual tokenizer (theirs have 4 and more Latin letters): what
 * is reserved for a call must not turn out too little. The provider's own count settles it.
 */
export function promptTokensAtMost(messages: readonly ChatMessage[]): number {
  return messages.reduce((sum, { content }) => sum + piecesIn(content) + perMessage, perMessage);
}

/** The same for a text that was written. */
export function piecesIn(text: string): number {
  return text.match(piece)?.length ?? 0;
}
