/**
 * Splits TypeScript into code, comments and strings, character by character. It does not parse: the
 * tidy rules look for names and import paths, and for those it is enough to know what is a comment
 * and what is a string. (The compiler API that could tell more is gone from TypeScript 7.)
 */

/** A string or template literal: where its opening quote stands, and what is between the quotes. */
export interface Literal {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** A source text with its parts blanked out by spaces, so that offsets and lines stay the same. */
export interface Scan {
  /** Comments and the insides of strings, templates and regular expressions are blank. */
  readonly code: string;
  /** Only the comments are left. */
  readonly comments: string;
  readonly literals: readonly Literal[];
}

/** After one of these a `/` opens a regular expression; after anything else it divides. */
const beforeRegex =
  /(?:^|[([{,;:=!&|?+\-*%~^<>]|\b(?:return|typeof|case|in|of|do|else|void|yield|await|delete|throw|new))\s*$/;

/** How far back the token before a `/` is looked for. */
const lookBehind = 40;

/** Scans one file. Never fails: an unclosed string ends with its line, or with the text. */
export function scan(text: string): Scan {
  const code = [...blank(text)];
  const comments = [...blank(text)];
  const literals: Literal[] = [];
  /** Brace depth at which each open template goes on after its `${…}`. */
  const templates: number[] = [];
  let depth = 0;
  let at = 0;

  const keep = (into: string[], from: number, to: number) => {
    for (let index = from; index < to; index++) into[index] = text[index] ?? ' ';
  };
  const literal = (start: number, end: number, closeLength: number) => {
    literals.push({ start, end, text: text.slice(start + 1, end - closeLength) });
    keep(code, start, start + 1);
    keep(code, end - closeLength, end);
  };
  const template = (start: number) => {
    const stop = templateStop(text, start + 1);
    literal(start, stop.end, stop.opens ? 2 : 1);
    if (stop.opens) templates.push(depth++);
    at = stop.end;
  };

  while (at < text.length) {
    const here = text[at] ?? '';
    const next = text[at + 1];
    if (here === '/' && (next === '/' || next === '*')) {
      const end = commentEnd(text, at);
      keep(comments, at, end);
      at = end;
    } else if (here === "'" || here === '"') {
      const end = quoteEnd(text, at, here);
      literal(at, end, 1);
      at = end;
    } else if (here === '`') {
      template(at);
    } else if (here === '}' && templates.at(-1) === depth - 1) {
      templates.pop();
      depth--;
      template(at);
    } else if (
      here === '/' &&
      beforeRegex.test(code.slice(Math.max(0, at - lookBehind), at).join(''))
    ) {
      const end = regexEnd(text, at);
      keep(code, at, at + 1);
      keep(code, end - 1, end);
      at = end;
    } else {
      if (here === '{') depth++;
      if (here === '}') depth--;
      keep(code, at, at + 1);
      at++;
    }
  }
  return { code: code.join(''), comments: comments.join(''), literals };
}

/** The 1-based line of an offset. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1))
    line++;
  return line;
}

/** The text with everything but its line breaks turned into spaces. */
function blank(text: string): string {
  return text.replace(/[^\n]/gu, (character) => ' '.repeat(character.length));
}

function commentEnd(text: string, start: number): number {
  const close = text[start + 1] === '/' ? '\n' : '*/';
  const end = text.indexOf(close, start + 2);
  if (end === -1) return text.length;
  return close === '\n' ? end : end + 2;
}

function quoteEnd(text: string, start: number, quote: string): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === quote || text[at] === '\n') return at + 1;
  }
  return text.length;
}

/** Where a template's text stops: at its closing quote, or behind the `${` that opens an expression. */
function templateStop(text: string, from: number): { end: number; opens: boolean } {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '`') return { end: at + 1, opens: false };
    else if (text[at] === '$' && text[at + 1] === '{') return { end: at + 2, opens: true };
  }
  return { end: text.length, opens: false };
}

function regexEnd(text: string, start: number): number {
  let inClass = false;
  for (let at = start + 1; at < text.length; at++) {
    const here = text[at];
    if (here === '\\') at++;
    else if (here === '[') inClass = true;
    else if (here === ']') inClass = false;
    else if ((here === '/' && !inClass) || here === '\n') return at + 1;
  }
  return text.length;
}
