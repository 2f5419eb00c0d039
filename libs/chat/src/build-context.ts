/**
 * The context builder: what the model reads, from what was gathered. A pure function, so that the
 * same conversation always gives the same bytes. The persona comes first and is never altered: a
 * provider's prompt cache hits on a prefix that is equal byte for byte (features A5).
 *
 * In a guild the words of a conversation carry names, so that nobody is taken for another. The question
 * at hand carries one only where that can change the answer: those who ask the same get the same bytes,
 * and may share a call (features A8).
 */
import type { ChatMessage, UserId } from '@starling/contracts';
import type { Turn } from './conversations.ts';
import { cutToTokens, estimateTokens } from './estimate-tokens.ts';
import type { RepliedMessage } from './incoming-message.ts';
import type { Scope } from './route.ts';
import { speakerLabels } from './speaker-labels.ts';
import { speaksOfSelf } from './speaks-of-self.ts';

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
  /** Whether the question may be answered by a call that others share; without it, it is always named. */
  readonly mayShare: boolean;
}

export interface Context {
  readonly messages: readonly ChatMessage[];
  /** A guess at the prompt's LLM tokens. */
  readonly estimatedTokens: number;
  /** Earlier messages that found no room; the model is told. */
  readonly leftOut: number;
  /** Nothing in it depends on who asks. */
  readonly isAnybodys: boolean;
}

/** A single message of the reply chain may take this share of the budget at most. */
const replyShare = 0.5;

/** Builds the prompt. The current text is always whole; history gives way, oldest first. */
export function buildContext(parts: ContextParts): Context {
  const { budget, history, replyChain, scope } = parts;
  const { isAnybodys, label, labels } = namesIn(parts);
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
  const current = said(label, parts.text);
  const messages: ChatMessage[] = [
    { role: 'system', content: parts.persona },
    ...turns,
    { role: 'user', content: [...notice, ...quoted, current].join('\n') },
  ];
  const estimatedTokens = messages.reduce((sum, { content }) => sum + estimateTokens(content), 0);
  return { messages, estimatedTokens, leftOut, isAnybodys };
}

/** A reply to what was said last anyway tells the model nothing new. */
function isLastSaid(replied: RepliedMessage, { history, self }: ContextParts): boolean {
  const last = history.at(-1);
  if (!last) return false;
  return replied.author.id === self
    ? last.answer.includes(replied.content)
    : last.messageId === replied.id;
}

/** Of somebody who speaks of themself and has said nothing here: square brackets are in no name. */
const newcomer = '[someone new]';

/** Who is named how: in the conversation, and before the question at hand. */
function namesIn(parts: ContextParts): {
  readonly labels: ReadonlyMap<UserId, string>;
  readonly label: string | undefined;
  readonly isAnybodys: boolean;
} {
  const { history, mayShare, replyChain, scope, self, speaker, text } = parts;
  const authors = replyChain.map(({ author }) => author).filter(({ id }) => id !== self);
  const view = [...history.map((turn) => turn.speaker), ...authors];
  const isAlone = view.every(({ id }) => id === speaker.id);
  // Where nobody else was heard names would be noise, unless others may come with the same question.
  if (scope === 'dm' || view.length === 0 || (isAlone && !mayShare)) {
    const isAnybodys = scope === 'guild' && view.length === 0;
    return { labels: new Map(), label: undefined, isAnybodys };
  }
  if (!mayShare) {
    const labels = speakerLabels([...view, speaker]);
    return { labels, label: labels.get(speaker.id), isAnybodys: false };
  }
  const labels = speakerLabels(view);
  if (!speaksOfSelf(text)) return { labels, label: undefined, isAnybodys: true };
  const own = labels.get(speaker.id);
  return { labels, label: own ?? newcomer, isAnybodys: own === undefined };
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
