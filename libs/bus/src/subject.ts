/** NATS subjects and patterns (docs.nats.io/nats-concepts/subjects), the same for both adapters. */

/** NATS rejects protocol lines over 4 KB; a subject is far below that. */
const maxSubjectLength = 1024;

/** Tokens without a dot or white space, none of them a wildcard by itself. */
const sendable = /^(?![*>](?:\.|$))[^\s.]+(?:\.(?![*>](?:\.|$))[^\s.]+)*$/;

/**
 * Checks a subject to send to: tokens between dots, no wildcard, no white space.
 * @throws {TypeError} a programmer's error: subjects are built from ids that were parsed
 */
export function assertSubject(subject: string): void {
  if (subject.length > maxSubjectLength || !sendable.test(subject)) {
    throw new TypeError(`"${subject}" is not a subject to send to`);
  }
}

/**
 * Checks a subject to listen on: as {@link assertSubject}, with `*` for one token and a last `>` for
 * one or more.
 * @throws {TypeError}
 */
export function assertPattern(pattern: string): void {
  if (!isPattern(pattern)) throw new TypeError(`"${pattern}" is not a subject to listen on`);
}

function isPattern(pattern: string): boolean {
  if (pattern.length > maxSubjectLength || /\s/.test(pattern)) return false;
  const tokens = pattern.split('.');
  return tokens.every((token, at) => token !== '' && (token !== '>' || at === tokens.length - 1));
}

/** Whether a message to `subject` reaches a listener on `pattern`. */
export function subjectMatches(subject: string, pattern: string): boolean {
  const tokens = subject.split('.');
  const wanted = pattern.split('.');
  for (const [at, want] of wanted.entries()) {
    if (want === '>') return tokens.length > at;
    if (at >= tokens.length || (want !== '*' && want !== tokens[at])) return false;
  }
  return tokens.length === wanted.length;
}
