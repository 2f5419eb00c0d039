/**
 * Counts LLM tokens where a provider told none. The vocabulary is OpenAI's o200k; those of other models
 * differ by some percent, so what is counted here is marked as an estimate.
 */

/** How many LLM tokens a text is. */
export type TokenCounter = (text: string) => number;

/** A stretch without spaces costs its length squared to count: it is counted in pieces of this many characters. */
const pieceLength = 1_000;

let counter: Promise<TokenCounter> | undefined;

/** The counter; its vocabulary of 2 MB is loaded by the first call that needs one. */
export function tokenCounter(): Promise<TokenCounter> {
  counter ??= load();
  return counter;
}

async function load(): Promise<TokenCounter> {
  const { countTokens } = await import('gpt-tokenizer/encoding/o200k_base');
  // What looks like a control token is what somebody wrote.
  const options = { disallowedSpecial: new Set<string>() };
  return (text) => {
    let count = 0;
    for (let at = 0; at < text.length; at += pieceLength) {
      count += countTokens(text.slice(at, at + pieceLength), options);
    }
    return count;
  };
}
