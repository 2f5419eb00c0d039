/**
 * The router: is a message meant for us, and what does answering it need (features A3, F1, F9). A
 * synchronous function of the message alone, run for every message of every channel we can see, so
 * the checks that drop most messages come first.
 */
import type { UserId } from '@starling/contracts';
import type { IncomingMessage } from './incoming-message.ts';
import { isBlank, withoutMention } from './visible-text.ts';

/** Why a message is none of our business; it is dropped before anything is stored. */
export type IgnoredBecause = 'own' | 'bot' | 'webhook' | 'system' | 'unaddressed';

/** Where a conversation takes place; each has its own token budget. */
export type Scope = 'dm' | 'guild';

/** How a message addressed us. */
export type AddressedBy = 'dm' | 'mention' | 'reply';

/**
 * How much is gathered for the answer. `fast`: a plain direct message, history only. `full`: also the
 * messages it replies to. `emergency`: the router's budget ran out, so nothing beyond history.
 */
export type RoutePath = 'fast' | 'full' | 'emergency';

export type Route =
  | { readonly kind: 'ignored'; readonly because: IgnoredBecause }
  | {
      readonly kind: 'refused';
      readonly code: 'empty' | 'too_long';
      readonly scope: Scope;
      readonly by: AddressedBy;
    }
  | {
      readonly kind: 'addressed';
      readonly by: AddressedBy;
      readonly scope: Scope;
      readonly path: RoutePath;
      readonly complexity: 'simple' | 'complex';
      /** The text without our own mention. */
      readonly text: string;
    };

export interface RouteOptions {
  readonly self: UserId;
  /** The longest text that is read, in UTF-16 units; Discord allows 4 000 with Nitro. */
  readonly maxTextLength: number;
  /** Milliseconds the router may take. */
  readonly budgetMs: number;
  /** Milliseconds that never run backwards. */
  readonly monotonicMs: () => number;
}

/** Texts below this are small talk as far as gathering goes (features F3). */
const simpleBelowLength = 50;

/** Decides what to do with a message. Never throws, whatever the text. */
export function route(message: IncomingMessage, options: RouteOptions): Route {
  const startedMs = options.monotonicMs();
  const guarded = guard(message, options.self);
  if (guarded) return { kind: 'ignored', because: guarded };
  const by = addressedBy(message, options.self);
  if (!by) return { kind: 'ignored', because: 'unaddressed' };

  const scope: Scope = message.guildId === undefined ? 'dm' : 'guild';
  if (message.content.length > options.maxTextLength) {
    return { kind: 'refused', code: 'too_long', scope, by };
  }
  const text = withoutMention(message.content, options.self);
  if (isBlank(text)) return { kind: 'refused', code: 'empty', scope, by };

  const complexity = complexityOf(text);
  const late = options.monotonicMs() - startedMs > options.budgetMs;
  const path: RoutePath = late ? 'emergency' : isPlain(message, scope) ? 'fast' : 'full';
  return { kind: 'addressed', by, scope, path, complexity, text };
}

/** The bot-loop guard: nothing that a program wrote is ever answered. */
function guard(message: IncomingMessage, self: UserId): IgnoredBecause | undefined {
  if (message.author.id === self) return 'own';
  if (message.isWebhook) return 'webhook';
  if (message.author.isBot) return 'bot';
  return message.isSystem ? 'system' : undefined;
}

function addressedBy(message: IncomingMessage, self: UserId): AddressedBy | undefined {
  if (message.guildId === undefined) return 'dm';
  // A reply with its ping on also mentions us; the more telling of the two is named.
  if (message.repliedTo?.author.id === self) return 'reply';
  return message.mentions.includes(self) ? 'mention' : undefined;
}

function isPlain(message: IncomingMessage, scope: Scope): boolean {
  return scope === 'dm' && message.repliedTo === undefined && message.attachments === 0;
}

/** Code, several lines or a long text ask for more than small talk does. */
function complexityOf(text: string): 'simple' | 'complex' {
  return text.length < simpleBelowLength && !text.includes('\n') && !text.includes('```')
    ? 'simple'
    : 'complex';
}
