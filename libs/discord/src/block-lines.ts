/** A text cut into lines that know which kind of Markdown block they belong to. */
import { type Fence, fenceAfter } from './fences.ts';

export interface BlockLine {
  /** Offset of the line's first character. */
  readonly start: number;
  /** Offset behind its line break. */
  readonly end: number;
  /** The fence that is open before this line; undefined outside of code. */
  readonly fence: Fence | undefined;
  /** `code` covers a fence's own two lines too. */
  readonly kind: 'blank' | 'list' | 'table' | 'code' | 'text';
  /** True when a block that should stay whole begins here. */
  readonly beginsBlock: boolean;
}

const listItem = /^\s*(?:[-*+]|\d{1,9}[.)])\s/;
const tableRow = /^\s*\|.*\|\s*$/;
const indented = /^\s{2,}\S/;

/** The lines of `text` from `from` to `to`, offsets kept as they are in `text`. */
export function blockLines(
  text: string,
  range: { readonly from: number; readonly to: number; readonly fence: Fence | undefined },
): readonly BlockLine[] {
  const lines: BlockLine[] = [];
  let fence = range.fence;
  let before: BlockLine['kind'] = fence ? 'code' : 'blank';
  let start = range.from;
  while (start < range.to) {
    const lineBreak = text.indexOf('\n', start);
    const end = lineBreak === -1 || lineBreak >= range.to ? range.to : lineBreak + 1;
    const line = text.slice(start, end).replace(/\n$/, '');
    const after = fenceAfter(line, fence);
    const kind: BlockLine['kind'] = fence || after ? 'code' : kindOf(line, before);
    // A blank line within a list does not end it; what follows decides.
    const beginsBlock =
      kind !== 'blank' && (kind !== before || (kind === 'text' && isBreak(lines)));
    lines.push({ start, end, fence, kind, beginsBlock: beginsBlock || (!fence && !!after) });
    if (kind !== 'blank' || before !== 'list') before = kind;
    fence = after;
    start = end;
  }
  return lines;
}

function kindOf(line: string, before: BlockLine['kind']): BlockLine['kind'] {
  if (line.trim() === '') return 'blank';
  if (listItem.test(line) || (before === 'list' && indented.test(line))) return 'list';
  return tableRow.test(line) ? 'table' : 'text';
}

function isBreak(lines: readonly BlockLine[]): boolean {
  return lines.at(-1)?.kind === 'blank';
}
