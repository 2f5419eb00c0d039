import { posix } from 'node:path';
import type { Finding, Project, Rule, TextFile } from './project.ts';
import { lineAt } from './scan.ts';

export const docLinks: Rule = {
  name: 'links in the docs',
  why: 'a reader who follows a dead link stops reading',
  check(project) {
    const docs = project.files.filter(({ path }) => path.endsWith('.md'));
    const anchors = new Map(docs.map((doc) => [doc.path, anchorsOf(doc.text)]));
    return docs.flatMap((doc) => broken(doc, project, anchors));
  },
};

/** Inline links and images, reference definitions, and the two HTML attributes that link. */
const linkShapes = [
  /\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g,
  /^ {0,3}\[[^\]]+\]:\s*<?([^\s>]+)>?/gm,
  /\b(?:href|src)="([^"]+)"/g,
];

function broken(
  doc: TextFile,
  { paths }: Project,
  anchors: ReadonlyMap<string, ReadonlySet<string>>,
): Finding[] {
  const text = withoutCode(doc.text);
  const findings: Finding[] = [];
  for (const { 1: target = '', index } of linkShapes.flatMap((shape) => [
    ...text.matchAll(shape),
  ])) {
    if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(target)) continue;
    const [file = '', anchor] = target.split('#');
    const path = file === '' ? doc.path : resolve(doc.path, file);
    const line = lineAt(text, index);
    if (!paths.has(path)) {
      findings.push({ path: doc.path, line, message: `${target}: there is no ${path}` });
    } else if (
      anchor &&
      path.endsWith('.md') &&
      !anchors.get(path)?.has(decodeURIComponent(anchor))
    ) {
      findings.push({ path: doc.path, line, message: `${target}: ${path} has no such heading` });
    }
  }
  return findings;
}

function resolve(from: string, target: string): string {
  const path = decodeURIComponent(target);
  const joined = path.startsWith('/') ? path.slice(1) : posix.join(posix.dirname(from), path);
  return posix.normalize(joined).replace(/\/$/, '');
}

/** The text with fenced and inline code blanked, lines kept. */
function withoutCode(text: string): string {
  const blank = (match: string) => match.replace(/[^\n]/g, ' ');
  return text
    .replace(/^ {0,3}(`{3,}|~{3,})[^\n]*\n[\s\S]*?^ {0,3}\1[^\n]*$/gm, blank)
    .replace(/(`+)[^`\n](?:[^\n]*?[^`\n])?\1(?!`)/g, blank);
}

/** The anchors that GitHub gives a page's headings, and those set by hand. */
function anchorsOf(text: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  const seen = new Map<string, number>();
  const body = text.replace(/^ {0,3}(`{3,}|~{3,})[^\n]*\n[\s\S]*?^ {0,3}\1[^\n]*$/gm, '');
  for (const { 1: heading = '' } of body.matchAll(/^ {0,3}#{1,6}\s+(.+?)\s*#*\s*$/gm)) {
    const slug = slugOf(heading);
    const before = seen.get(slug) ?? 0;
    seen.set(slug, before + 1);
    anchors.add(before === 0 ? slug : `${slug}-${before}`);
  }
  for (const { 1: name = '' } of body.matchAll(/<a\s+(?:id|name)="([^"]+)"/g)) anchors.add(name);
  return anchors;
}

/** GitHub's rule: lower case, punctuation dropped, each space a hyphen. */
function slugOf(heading: string): string {
  return heading
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
    .replaceAll(' ', '-');
}
