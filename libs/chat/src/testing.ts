export { type ConversationsUnderTest, conversationsSuite } from './testing/conversations-suite.ts';
