export { type ConversationsUnderTest, conversationsSuite } from './conversations-suite.ts';
