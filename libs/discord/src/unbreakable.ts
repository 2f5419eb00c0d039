/** Stretches of a line that mean nothing when they are cut: links, mentions, inline code. */

export interface Span {
  readonly start: number;
  readonly end: number;
}

const spans =
  /!?\[[^\]\n]{0,500}\]\([^)\s]{1,1800}\)|<(?:@[!&]?|#|a?:\w+:|t:)[\d:a-zA-Z]{1,40}>|https?:\/\/[^\s<>]+|`[^`\n]{1,200}`/g;

/** The unbreakable spans of `text` from `from` to `to`. */
export function unbreakableSpans(
  text: string,
  range: { from: number; to: number },
): readonly Span[] {
  return [...text.slice(range.from, range.to).matchAll(spans)].map((match) => {
    const start = range.from + match.index;
    return { start, end: start + match[0].length };
  });
}

/** The span that a cut at `offset` would cut through. */
export function spanAcross(all: readonly Span[], offset: number): Span | undefined {
  return all.find(({ start, end }) => start < offset && offset < end);
}
