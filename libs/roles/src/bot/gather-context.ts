import {
  buildContext,
  type Context,
  type IncomingMessage,
  type RepliedMessage,
  type Route,
} from '@starling/chat';
import type { UserId } from '@starling/contracts';
import type { Logger } from '@starling/telemetry';
import type { BotParts } from './bot-parts.ts';

/**
 * Messages of a reply chain, the one that came with the event included. Small talk makes do with that
 * one, which costs no call (features F3).
 */
const maxReplyChain = { simple: 1, complex: 3 };

/**
 * What the answer is based on: the channel's last turns in one read of the store, and the messages
 * that this one replies to, fetched beside it. A message that cannot be fetched is left out.
 */
export async function gatherContext(
  asked: {
    readonly message: IncomingMessage;
    readonly route: Extract<Route, { kind: 'addressed' }>;
    readonly self: UserId;
  },
  parts: Pick<BotParts, 'conversations' | 'sender' | 'config'> & { readonly logger: Logger },
): Promise<Context> {
  const { message, route, self } = asked;
  const { config } = parts;
  const [history, replyChain] = await Promise.all([
    parts.conversations.recent(message.channelId),
    route.path === 'full' ? replyChainOf(message, route.complexity, parts) : [],
  ]);
  return buildContext({
    persona: config.persona,
    scope: route.scope,
    self,
    speaker: message.author,
    text: route.text,
    history,
    replyChain,
    mayShare: config.shareCalls,
    budget: {
      dmTokens: config.contextDmTokens,
      guildTokens: config.contextGuildTokens,
      maxMessages: config.historyMessages,
    },
  });
}

/** Nearest first. Discord sends the first one along; those behind it are fetched one by one. */
async function replyChainOf(
  { channelId, repliedTo }: IncomingMessage,
  complexity: keyof typeof maxReplyChain,
  { logger, sender }: Pick<BotParts, 'sender'> & { readonly logger: Logger },
): Promise<readonly RepliedMessage[]> {
  const chain: RepliedMessage[] = repliedTo ? [repliedTo] : [];
  for (let next = repliedTo?.repliesTo; next && chain.length < maxReplyChain[complexity]; ) {
    try {
      const fetched: RepliedMessage = await sender.fetch(channelId, next);
      chain.push(fetched);
      next = fetched.repliesTo;
    } catch (error) {
      logger.debug('reply_chain.cut', { error });
      break;
    }
  }
  return chain;
}
