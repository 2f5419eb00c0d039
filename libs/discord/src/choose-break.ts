/**
 * Where a part of a long message ends. Candidates in the order of how little a reader notices: before
 * a block that then stays whole, between blocks, between lines (of text, then of code), behind a
 * sentence, behind a word, between two visible characters.
 */
import { type BlockLine, blockLines } from './block-lines.ts';
import type { Fence } from './fences.ts';
import { type Span, spanAcross, unbreakableSpans } from './unbreakable.ts';

interface Window {
  /** Where this part begins. */
  readonly from: number;
  /** Where it has to end at the latest. */
  readonly to: number;
  readonly fence: Fence | undefined;
}

/** Parts shorter than these shares of the limit are avoided where a lesser break gives a fuller one. */
const goodShare = 0.5;
const fairShare = 0.3;

/** The offset at which the part ends: `from < offset <= to`. */
export function chooseBreak(text: string, window: Window): number {
  const { from, to } = window;
  const size = to - from;
  // Twice the window, to see where the block ends that the window cuts through.
  const lines = blockLines(text, { ...window, to: Math.min(text.length, to + size) });
  const spans = unbreakableSpans(text, { from, to: Math.min(text.length, to + size) });
  const inside = lines.filter((line) => line.start > from && line.start <= to);

  const latest = (share: number, accept: (line: BlockLine) => boolean) =>
    inside.findLast((line) => line.start - from >= size * share && accept(line))?.start;

  return (
    wholeBlock(lines, { window, textEnd: text.length }) ??
    latest(goodShare, (line) => line.beginsBlock && !line.fence) ??
    latest(fairShare, (line) => !line.fence) ??
    latest(fairShare, (line) => betweenCode(line, lines)) ??
    lastMatch(text, { window, spans, pattern: /[.!?…]["')\]]*\s+/g, share: fairShare }) ??
    latest(0, (line) => !line.fence) ??
    lastMatch(text, { window, spans, pattern: /\s+/g, share: 0 }) ??
    betweenCharacters(text, { window, spans })
  );
}

/** The start of the code, list or table that `to` falls into, when it fits into a part of its own. */
function wholeBlock(
  lines: readonly BlockLine[],
  { window, textEnd }: { readonly window: Window; readonly textEnd: number },
): number | undefined {
  const at = lines.findIndex((line) => line.start <= window.to && window.to < line.end);
  const cut = lines[at];
  if (!cut || (cut.kind !== 'code' && cut.kind !== 'list' && cut.kind !== 'table'))
    return undefined;
  const first = lines.findLast((line, index) => index <= at && line.beginsBlock);
  if (!first || first.start <= window.from || first.kind !== cut.kind) return undefined;
  const next = lines.find((line, index) => index > at && line.beginsBlock);
  const end = next?.start ?? lines.at(-1)?.end ?? textEnd;
  const seenWhole = next !== undefined || end === textEnd;
  return seenWhole && end - first.start <= window.to - window.from ? first.start : undefined;
}

/** Between two lines of code: behind the first, before the last, so that no part is an empty block. */
function betweenCode(line: BlockLine, lines: readonly BlockLine[]): boolean {
  if (!line.fence) return false;
  const index = lines.indexOf(line);
  const before = lines[index - 1];
  const after = lines[index + 1];
  return before?.fence !== undefined && after?.fence !== undefined;
}

function lastMatch(
  text: string,
  options: {
    readonly window: Window;
    readonly spans: readonly Span[];
    readonly pattern: RegExp;
    readonly share: number;
  },
): number | undefined {
  const { from, to } = options.window;
  let last: number | undefined;
  for (const match of text.slice(from, to).matchAll(options.pattern)) {
    const offset = from + match.index + match[0].length;
    if (offset - from < (to - from) * options.share) continue;
    if (!spanAcross(options.spans, offset)) last = offset;
  }
  return last;
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Never through an emoji or a letter with its marks, nor a link, unless one alone is too long. */
function betweenCharacters(
  text: string,
  { window, spans }: { readonly window: Window; readonly spans: readonly Span[] },
): number {
  const { from, to } = window;
  const across = spanAcross(spans, to);
  if (across && across.start > from) return across.start;
  const segments = graphemes.segment(text.slice(from, to + 1));
  const boundary = from + (segments.containing(to - from)?.index ?? to - from);
  if (boundary > from) return boundary;
  const last = text.charCodeAt(to - 1);
  return last >= 0xd800 && last <= 0xdbff && to - 1 > from ? to - 1 : to;
}
