/**
 * What a command's closing line of JSON must say, each rule a word:
 * `ok=true` equals this JSON value, or this text; `answer` is there and not empty;
 * `correlationId~^[0-9a-f]{8}$` matches. Names reach inside: `phases.llm`.
 */
export function brokenRules(line: string, rules: readonly string[]): string[] {
  const value = parse(line);
  if (typeof value !== 'object' || value === null) return [`not an object of JSON: ${line}`];
  return rules.filter((rule) => !holds(value, rule));
}

function holds(value: object, rule: string): boolean {
  const [, name = '', sign = '', wanted = ''] = /^([\w.]+)([=~]?)(.*)$/s.exec(rule) ?? [];
  const found = name.split('.').reduce<unknown>(member, value);
  if (sign === '=') return JSON.stringify(found) === JSON.stringify(parse(wanted) ?? wanted);
  if (sign === '~') return new RegExp(wanted).test(String(found));
  return found !== undefined && found !== null && found !== '' && found !== false;
}

function member(of: unknown, name: string): unknown {
  return typeof of === 'object' && of !== null ? Reflect.get(of, name) : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
