/**
 * Splits a text into Discord messages (features F2). The bodies of the parts, joined, are the text:
 * nothing is lost and nothing changed; what is added stands apart, and is only what closes a code
 * fence at a part's end and opens it again, with its language, at the next one's head.
 */
import { chooseBreak } from './choose-break.ts';
import { closingOf, type Fence, fenceAtEnd, maxClosingLength, reopening } from './fences.ts';

export interface MessagePart {
  /** Opens the fence that the part before closed; else empty. */
  readonly open: string;
  readonly body: string;
  /** Closes a fence that is open at the body's end; else empty. */
  readonly close: string;
}

/** Discord's bound on a message's content (discord.com/developers/docs/resources/message#create-message). */
export const maxContentLength = 2000;

/** The parts of a text, each at most `limit` UTF-16 units long with what is added; none for no text. */
export function splitMessage(text: string, limit = maxContentLength): readonly MessagePart[] {
  const parts: MessagePart[] = [];
  let fence: Fence | undefined;
  let from = 0;
  while (from < text.length) {
    const part = nextPart(text, { from, fence, limit });
    parts.push(part);
    from += part.body.length;
    fence = fenceAtEnd(part.body, fence);
  }
  return parts;
}

function nextPart(
  text: string,
  {
    from,
    fence,
    limit,
  }: { readonly from: number; readonly fence: Fence | undefined; readonly limit: number },
): MessagePart {
  const open = reopening(fence);
  const rest = text.length - from;
  if (rest + open.length <= limit) {
    const part = partOf(text.slice(from), { open, fence });
    if (open.length + rest + part.close.length <= limit) return part;
  }
  const to = Math.min(text.length - 1, from + limit - open.length - maxClosingLength);
  return partOf(text.slice(from, chooseBreak(text, { from, to, fence })), { open, fence });
}

function partOf(
  body: string,
  { open, fence }: { readonly open: string; readonly fence: Fence | undefined },
): MessagePart {
  return { open, body, close: closingOf(fenceAtEnd(body, fence), body) };
}

/** Said at the end of an answer that is longer than {@link maxParts} messages. */
const shortened = '\n… (the rest is left out)';

/** The most messages one answer takes: 40 000 characters, far beyond what a job may ask a model for. */
export const maxParts = 20;

/**
 * The contents to send for a text, in order. Parts in which nothing could be seen are left out, since
 * Discord refuses them; beyond {@link maxParts} the answer ends and says so.
 */
export function messageContents(text: string): readonly string[] {
  const contents = splitMessage(text)
    .map(({ open, body, close }) => open + body + close)
    .filter((content) => content.trim() !== '');
  if (contents.length <= maxParts) return contents;
  const [last] = splitMessage(contents[maxParts - 1] ?? '', maxContentLength - shortened.length);
  const ending = last ? last.open + last.body + last.close + shortened : shortened;
  return [...contents.slice(0, maxParts - 1), ending];
}
