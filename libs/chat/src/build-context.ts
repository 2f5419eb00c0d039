/**
 * The context builder: what the model reads, from what was gathered. A pure function, so that the
 * same conversation always gives the same bytes. The persona comes first and is never altered: a
 * provider's prompt cache hits on a prefix that is equal byte for byte (features A5).
 */
import type { ChatMessage, UserId } from '@starling/contracts';
import type { Turn } from './conversations.ts';
import { cutToTokens, estimateTokens } from './estimate-tokens.ts';
import type { RepliedMessage } from './incoming-message.ts';
import type { Scope } from './route.ts';
import { speakerLabels } from './speaker-labels.ts';

export interface ContextBudget {
  /** LLM tokens for history and reply chain in a direct message. */
  readonly dmTokens: number;
  /** The same in a guild's channel. */
  readonly guildTokens: number;
  /** Messages of history, questions and answers together. */
  readonly maxMessages: number;
}

export interface ContextParts {
  readonly persona: string;
  readonly scope: Scope;
  readonly self: UserId;
  readonly speaker: { readonly id: UserId; readonly name: string };
  readonly text: string;
  /** Oldest first. */
  readonly history: readonly Turn[];
  /** The messages that this one replies to, nearest first. */
  readonly replyChain: readonly RepliedMessage[];
  readonly budget: ContextBudget;
}

export interface Context {
  readonly messages: readonly ChatMessage[];
  /** A guess at the prompt's LLM tokens. */
  readonly estimatedTokens: number;
  /** Earlier messages that found no room; the model is told. */
  readonly leftOut: number;
}

/** A single message of the reply chain may take this share of the budget at most. */
const replyShare = 0.5;

/** Builds the prompt. The current text is always whole; history gives way, oldest first. */
export function buildContext(parts: ContextParts): Context {
  const { budget, history, replyChain, scope } = parts;
  const labels = labelsOf(parts);
  let roomTokens = scope === 'dm' ? budget.dmTokens : budget.guildTokens;

  // What is replied to is what is talked about: it gets its room before older history does.
  const quoted: string[] = [];
  let leftOut = 0;
  for (const replied of replyChain) {
    if (replied.content === '' || isLastSaid(replied, parts)) continue;
    const quote = quoteOf(
      { ...replied, content: cutToTokens(replied.content, Math.floor(roomTokens * replyShare)) },
      { self: parts.self, labels },
    );
    const tokens = estimateTokens(quote);
    if (tokens > roomTokens) {
      leftOut++;
      continue;
    }
    roomTokens -= tokens;
    quoted.unshift(quote);
  }

  const turns: ChatMessage[] = [];
  for (const turn of history.toReversed()) {
    const question = said(labels.get(turn.speaker.id), turn.question);
    const tokens = estimateTokens(question) + estimateTokens(turn.answer);
    if (tokens > roomTokens || turns.length + 2 > budget.maxMessages) break;
    roomTokens -= tokens;
    turns.unshift({ role: 'user', content: question }, { role: 'assistant', content: turn.answer });
  }
  leftOut += history.length * 2 - turns.length;

  const notice = leftOut > 0 ? [`[${leftOut} earlier messages are left out here.]`] : [];
  const current = said(labels.get(parts.speaker.id), parts.text);
  const messages: ChatMessage[] = [
    { role: 'system', content: parts.persona },
    ...turns,
    { role: 'user', content: [...notice, ...quoted, current].join('\n') },
  ];
  const estimatedTokens = messages.reduce((sum, { content }) => sum + estimateTokens(content), 0);
  return { messages, estimatedTokens, leftOut };
}

/** A reply to what was said last anyway tells the model nothing new. */
function isLastSaid(replied: RepliedMessage, { history, self }: ContextParts): boolean {
  const last = history.at(-1);
  if (!last) return false;
  return replied.author.id === self
    ? last.answer.includes(replied.content)
    : last.messageId === replied.id;
}

/** Labels tell speakers apart; where there is only one they would be noise. */
function labelsOf({ speaker, history, replyChain, self }: ContextParts) {
  const authors = replyChain.map(({ author }) => author).filter(({ id }) => id !== self);
  const speakers = [...history.map((turn) => turn.speaker), ...authors, speaker];
  const isAlone = speakers.every(({ id }) => id === speaker.id);
  return isAlone ? new Map<UserId, string>() : speakerLabels(speakers);
}

function said(label: string | undefined, text: string): string {
  return label === undefined ? text : `${label}: ${text}`;
}

function quoteOf(
  replied: RepliedMessage,
  context: { readonly self: UserId; readonly labels: ReadonlyMap<UserId, string> },
): string {
  const who = replied.author.id === context.self ? 'you' : context.labels.get(replied.author.id);
  return `[in reply to ${who ?? 'them'}: ${replied.content}]`;
}
