export {
  buildContext,
  type Context,
  type ContextBudget,
  type ContextParts,
} from './build-context.ts';
export type { ConversationBounds, Conversations, Turn } from './conversations.ts';
export { estimateTokens } from './estimate-tokens.ts';
export type { Author, IncomingMessage, RepliedMessage } from './incoming-message.ts';
export { createMemoryConversations } from './memory-conversations.ts';
export { createRedisConversations } from './redis-conversations.ts';
export {
  type AddressedBy,
  type IgnoredBecause,
  type Route,
  type RouteOptions,
  type RoutePath,
  route,
  type Scope,
} from './route.ts';
export { isBlank, withoutThoughts } from './visible-text.ts';
