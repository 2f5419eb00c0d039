/**
 * Writes the simulated answer. Everything follows from the request's hash, so a repeated request gets
 * the same words; the first two of them already say that the model is simulated.
 */
import { type Random, seededRandom } from '@starling/clock';
import {
  type ChatRequest,
  type Directives,
  defaultThinkTokens,
  directivesOf,
  topicOf,
} from './chat-request.ts';
import { splitTokens } from './count-tokens.ts';
import { drawLognormal } from './lognormal.ts';
import type { ModelProfile } from './profile.ts';

/** One LLM token of an answer. */
export interface AnswerToken {
  readonly part: 'text' | 'reasoning';
  readonly text: string;
}

const subjects = [
  'The short version',
  'A careful reading',
  'One way to see it',
  'The usual advice',
  'A second look',
  'The simplest plan',
  'What most people find',
];
const verbs = [
  'suggests starting small',
  'comes down to measuring first',
  'depends on what you need next',
  'is to change one thing at a time',
  'leaves room for a better idea',
  'points the same way',
  'is easier to try than to argue about',
];
const tails = [
  'and writing down what you saw',
  'before anything is moved',
  'because the rest follows from it',
  'while the costs are still low',
  'so that it can be undone',
  'even when time is short',
  'and that is usually enough',
];

const pick = <T>(choices: readonly [T, ...T[]] | readonly T[], random: Random): T =>
  choices[random.integer(choices.length)] as T;

function sentence(topic: readonly string[], random: Random): string {
  const about = topic.length > 0 && random.integer(3) === 0 ? ` about ${pick(topic, random)}` : '';
  return `${pick(subjects, random)}${about} ${pick(verbs, random)}, ${pick(tails, random)}.`;
}

function block(index: number, topic: readonly string[], random: Random): string {
  switch (index % 4) {
    case 0:
      return `\n\n## Step ${index / 4 + 1}\n\n${sentence(topic, random)} Use \`sim(${index})\` for it.`;
    case 1:
      return `\n\n- **First**: ${sentence(topic, random)}\n- *Then*: ${sentence(topic, random)}\n  1. ${sentence(topic, random)}`;
    case 2:
      return `\n\n\`\`\`ts\n// simulated code, block ${index}\nexport const answer${index} = (n: number): number => n * ${random.integer(90) + 10};\n\`\`\``;
    default:
      return `\n\n> ${sentence(topic, random)}\n\n| what | value |\n|---|---|\n| simulated | ${random.integer(100)} |`;
  }
}

/** Exactly `count` pieces: sentences or blocks until there are enough, cut, and closed with a full stop. */
function fill(count: number, opening: string, next: (index: number) => string): readonly string[] {
  const pieces = [...splitTokens(opening)];
  for (let index = 0; pieces.length < count; index++) pieces.push(...splitTokens(next(index)));
  pieces.length = count;
  if (count > 2 && pieces[count - 1] !== '.') pieces[count - 1] = '.';
  return pieces;
}

/** Longest answer that is ever composed, in LLM tokens; `[[tokens:N]]` above it gets this many. */
const answerTokensMax = 100_000;

/** The whole answer of `model` to `request`, before any limit on its length; see the module's header. */
export function composeAnswer(request: ChatRequest, model: ModelProfile): readonly AnswerToken[] {
  const random = seededRandom(Number.parseInt(request.promptHash.slice(0, 8), 16));
  const directives = directivesOf(request.messages);
  const topic = topicOf(request.messages);
  const drawn = Math.round(drawLognormal(model.answerTokens, random));
  const textTokens = Math.min(Math.max(1, directives.tokens ?? drawn), answerTokensMax);
  const thinkTokens = Math.min(thinkTokensOf(request, directives, model), answerTokensMax);

  const opening = `Simulated answer from ${model.name}; no real language model was asked.`;
  const text = fill(textTokens, opening, (index) =>
    directives.markdown ? block(index, topic, random) : ` ${sentence(topic, random)}`,
  );
  if (thinkTokens === 0) return text.map(asText);
  const thoughts = fill(thinkTokens, 'Simulated reasoning.', () => ` ${sentence(topic, random)}`);
  if (model.reasoningStyle !== 'inline') {
    return [
      ...thoughts.map((piece) => ({ part: 'reasoning' as const, text: piece })),
      ...text.map(asText),
    ];
  }
  const [first = '', ...rest] = text;
  const tags = { open: splitTokens('<think>'), close: splitTokens('</think>') };
  return [...tags.open, ...thoughts, ...tags.close, `\n\n${first}`, ...rest].map(asText);
}

const asText = (piece: string): AnswerToken => ({ part: 'text', text: piece });

function thinkTokensOf(request: ChatRequest, directives: Directives, model: ModelProfile): number {
  if (request.reasoning === false) return 0;
  if (directives.thinkTokens !== undefined) return directives.thinkTokens;
  if (model.reasoningTokens > 0) return model.reasoningTokens;
  return request.reasoning ? defaultThinkTokens : 0;
}
