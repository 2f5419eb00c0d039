/**
 * Code fences as Discord renders them: a line of three or more backticks opens one, with a language
 * or none, and a line of at least as many closes it.
 */

/** An open code fence. */
export interface Fence {
  readonly marker: string;
  /** The language behind the opening marker; empty for none. */
  readonly language: string;
}

/** The longest line that reopens a fence: eight backticks, the language, the end of the line. */
const maxMarkerLength = 8;
const maxLanguageLength = 20;

const opening = new RegExp(`^\\s*(\`{3,${maxMarkerLength}})([^\`]*)$`);
const closing = /^\s*(`{3,})\s*$/;

/** The fence that is open after a line, given the one that was open before it. */
export function fenceAfter(line: string, before: Fence | undefined): Fence | undefined {
  if (before) {
    const marker = closing.exec(line)?.[1];
    return marker !== undefined && marker.length >= before.marker.length ? undefined : before;
  }
  const [, marker, info = ''] = opening.exec(line) ?? [];
  if (marker === undefined) return undefined;
  const language = info.trim().split(/\s/, 1)[0] ?? '';
  return { marker, language: language.length <= maxLanguageLength ? language : '' };
}

/** The fence that is open at the end of a text. */
export function fenceAtEnd(text: string, before: Fence | undefined): Fence | undefined {
  let fence = before;
  for (const line of text.split('\n')) fence = fenceAfter(line, fence);
  return fence;
}

/** What opens the fence again at the head of the next part. */
export function reopening(fence: Fence | undefined): string {
  return fence ? `${fence.marker}${fence.language}\n` : '';
}

/** What closes the fence behind `body`. */
export function closingOf(fence: Fence | undefined, body: string): string {
  if (!fence) return '';
  return body.endsWith('\n') ? fence.marker : `\n${fence.marker}`;
}

/** Room that {@link closingOf} may need. */
export const maxClosingLength = maxMarkerLength + 1;

/** The text with a code fence closed that would swallow whatever follows. */
export function closeFences(text: string): string {
  return text + closingOf(fenceAtEnd(text, undefined), text);
}
