/**
 * What a reader cannot see: separators, controls and formats (zero-width joiners, direction marks),
 * combining marks on nothing, and the two letters that render as blanks (Hangul fillers, braille
 * blank). Variation selectors alone are marks.
 */
const invisible = /[\p{Z}\p{Cc}\p{Cf}\p{M}\u115f\u1160\u2800\u3164\uffa0]/gu;

/** True when a reader would see nothing at all. An emoji, also one of joined parts, is something. */
export function isBlank(text: string): boolean {
  return text.replace(invisible, '') === '';
}

/** The text without mentions of one user (`<@id>`, and `<@!id>` of older clients), trimmed. */
export function withoutMention(text: string, userId: string): string {
  return text.replaceAll(new RegExp(`<@!?${userId}>[^\\S\\n]?`, 'g'), '').trim();
}

/** A thought begins a line; a tag within a sentence is talk about tags. */
const thought = /(^|\n)[^\S\n]*<think(?:ing)?>[\s\S]*?(?:<\/think(?:ing)?>\s*|$)/g;
const beginningOfTag = /(^|\n)[^\S\n]*<(?:t|th|thi|thin|think|thinki|thinkin|thinking)?$/;

/**
 * What of a model's answer people read: without `<think>…</think>`, in which some models reason
 * aloud (features F9). A thought without an end hides the rest, and while an answer still streams
 * (`open`) so does what may become its tag.
 */
export function withoutThoughts(answer: string, options: { readonly open: boolean }): string {
  const visible = answer.replaceAll(thought, '$1').trimStart();
  return options.open ? visible.replace(beginningOfTag, '') : visible;
}
