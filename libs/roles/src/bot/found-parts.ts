import type { MessageId, UserId } from '@starling/contracts';
import type { PostedPart, ReferencedMessage } from '@starling/discord';

/**
 * What an earlier process left of an answer: our reply to the question, and the messages of ours
 * behind it whose text is one that the answer's next part has, or begins with. Any other message of
 * ours belongs to another answer.
 */
export function foundParts(
  after: readonly ReferencedMessage[],
  answer: {
    readonly self: UserId;
    readonly question: MessageId;
    /** The contents that the answer will have. */
    readonly contents: readonly string[];
  },
): readonly PostedPart[] {
  const own = after.filter(({ author }) => author.id === answer.self);
  const first = own.findIndex(({ repliesTo }) => repliesTo === answer.question);
  const reply = own[first];
  if (!reply) return [];
  const parts: PostedPart[] = [{ messageId: reply.id, content: reply.content }];
  for (const message of own.slice(first + 1)) {
    const wanted = answer.contents[parts.length];
    if (wanted === undefined) break;
    if (message.repliesTo !== undefined || !wanted.trim().startsWith(message.content.trim()))
      continue;
    parts.push({ messageId: message.id, content: message.content });
  }
  return parts;
}
