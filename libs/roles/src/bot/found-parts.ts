import type { MessageId, UserId } from '@starling/contracts';
import type { PostedPart, ReferencedMessage } from '@starling/discord';

/**
 * What an earlier process left of an answer: the messages that it recorded; where it recorded none,
 * our reply to the question, and the messages of ours behind it whose text is one that the answer's
 * next part has, or begins with. Any other message of ours belongs to another answer.
 */
export function foundParts(
  after: readonly ReferencedMessage[],
  answer: {
    readonly self: UserId;
    readonly question: MessageId;
    /** The contents that the answer will have. */
    readonly contents: readonly string[];
    /** The messages that were recorded, in order. */
    readonly recorded: readonly MessageId[];
  },
): readonly PostedPart[] {
  const { contents, question, recorded, self } = answer;
  const own = after.filter(({ author }) => author.id === self);
  const parts: PostedPart[] = recorded.map((messageId) => {
    const found = own.find(({ id }) => id === messageId);
    // Unknown text is edited in any case.
    return found ? partOf(found) : { messageId, content: '', stoppable: false };
  });
  const last = own.findIndex(({ id }) => id === recorded.at(-1));
  const reply = own.findIndex(({ repliesTo }) => repliesTo === question);
  const first = own[reply];
  if (recorded.length === 0) {
    if (!first) return [];
    parts.push(partOf(first));
  }
  for (const message of own.slice(Math.max(last, reply) + 1)) {
    const wanted = contents[parts.length];
    if (wanted === undefined) break;
    if (message.repliesTo !== undefined || !wanted.trim().startsWith(message.content.trim()))
      continue;
    parts.push(partOf(message));
  }
  return parts;
}

function partOf({ content, hasControls, id }: ReferencedMessage): PostedPart {
  return { messageId: id, content, stoppable: hasControls };
}
