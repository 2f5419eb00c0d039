import type { ChatMessage } from '@starling/contracts';
import { type ChoiceRule, choiceRules, type Size } from './choice-rules.ts';

/** Which size a question wants, and by which rule. */
export interface SizeChoice {
  readonly size: Size;
  readonly rule: string;
}

/** More of a question is not looked at: a longer one is complex before that. */
const maxLooked = 4_000;

/** By what was asked last; what was said before it, the size of a prompt, says little about it. */
export function chooseSize(messages: readonly ChatMessage[]): SizeChoice {
  const asked = messages.findLast(({ role }) => role === 'user')?.content.trim() ?? '';
  const text = asked.slice(0, maxLooked);
  const rule = choiceRules.find((candidate) => fits(candidate, text));
  return rule ? { size: rule.says, rule: rule.name } : { size: 'complex', rule: 'nothing-else' };
}

function fits({ maxLength = Infinity, minLength = 0, pattern }: ChoiceRule, text: string): boolean {
  if (text.length < minLength || text.length > maxLength) return false;
  return pattern === undefined || pattern.test(text);
}
