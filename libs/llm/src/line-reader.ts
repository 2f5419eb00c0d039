import { ProviderFaultError } from './provider-fault.ts';

/** A line longer than this is no chunk of an answer: a token is some bytes, a whole answer 200 kB. */
export const maxLineLength = 512 * 1024;

/**
 * Lines of a byte stream, without their ends, wherever the chunks were cut: inside a character,
 * between CR and LF. A last line without an end is not a line; whether it matters is for the reader
 * of the lines to say.
 * @throws {ProviderFaultError} `line_too_long` over {@link maxLineLength} characters
 */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
  options: { readonly onRest?: (rest: string) => void } = {},
): AsyncGenerator<string> {
  // Bytes that are not UTF-8 become U+FFFD: the JSON around them decides whether that matters.
  const decoder = new TextDecoder();
  let rest = '';
  let endedInCr = false;
  for await (const chunk of chunks) {
    let text = decoder.decode(chunk, { stream: true });
    if (text === '') continue;
    if (endedInCr && text.startsWith('\n')) text = text.slice(1);
    endedInCr = text.endsWith('\r');
    const parts = text.split(/\r\n|\n|\r/);
    parts[0] = rest + (parts[0] ?? '');
    rest = parts.pop() ?? '';
    yield* parts;
    if (rest.length > maxLineLength) {
      throw new ProviderFaultError({
        code: 'provider_unavailable',
        retryable: false,
        detail: 'line_too_long',
      });
    }
  }
  if (rest !== '') options.onRest?.(rest);
}
