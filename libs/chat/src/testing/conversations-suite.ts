import { type ChannelId, channelId, messageId, userId } from '@starling/contracts';
import { describe, expect, it } from 'vitest';
import type { ConversationBounds, Conversations, Turn } from '../conversations.ts';

/** What the suite needs of an adapter: a fresh one, and a way to let time pass. */
export interface ConversationsUnderTest extends AsyncDisposable {
  readonly conversations: Conversations;
  /** Lets `ms` pass as the adapter counts time. */
  pass(ms: number): Promise<void>;
}

const channels = ['200000000000000000', '200000000000000001'].map((id) => channelId.parse(id));
const [channel, other] = channels as [ChannelId, ChannelId];

function turn(n: number, difference: Partial<Turn> = {}): Turn {
  return {
    messageId: messageId.parse(String(1_400_000_000_000_000_000n + BigInt(n) * 4_194_304n)),
    speaker: { id: userId.parse('400000000000000000'), name: 'Ada' },
    question: `question ${n}`,
    answer: `answer ${n}`,
    ...difference,
  };
}

/** The promises of the port, for every adapter. */
export function conversationsSuite(
  name: string,
  open: (bounds: ConversationBounds) => Promise<ConversationsUnderTest>,
): void {
  const bounds = { maxMessages: 20, ttlMs: 60_000 };

  describe(`${name} keeps the conversations' contract`, () => {
    it('gives back what was said, oldest first', async () => {
      await using subject = await open(bounds);
      const { conversations } = subject;
      for (const n of [1, 2, 3]) await conversations.append(channel, turn(n));
      expect(await conversations.recent(channel)).toEqual([turn(1), turn(2), turn(3)]);
    });

    it('knows nothing of a channel that nobody spoke in', async () => {
      await using subject = await open(bounds);
      await subject.conversations.append(channel, turn(1));
      expect(await subject.conversations.recent(other)).toEqual([]);
    });

    it('orders turns by their messages, whichever was answered first', async () => {
      await using subject = await open(bounds);
      const { conversations } = subject;
      for (const n of [2, 1, 3]) await conversations.append(channel, turn(n));
      const recent = await conversations.recent(channel);
      expect(recent.map(({ question }) => question)).toEqual([
        'question 1',
        'question 2',
        'question 3',
      ]);
    });

    it('keeps the newest ten turns, which are twenty messages', async () => {
      await using subject = await open(bounds);
      const { conversations } = subject;
      for (let n = 1; n <= 14; n++) await conversations.append(channel, turn(n));
      const recent = await conversations.recent(channel);
      expect(recent).toHaveLength(10);
      expect(recent[0]).toEqual(turn(5));
    });

    it('keeps a turn once, however often it is added', async () => {
      await using subject = await open(bounds);
      const { conversations } = subject;
      await conversations.append(channel, turn(1));
      await conversations.append(channel, turn(1));
      expect(await conversations.recent(channel)).toEqual([turn(1)]);
    });

    it('lets a later answer to a message take the place of the first', async () => {
      await using subject = await open(bounds);
      const { conversations } = subject;
      await conversations.append(channel, turn(1));
      await conversations.append(channel, turn(2));
      await conversations.append(channel, turn(1, { answer: 'late, but better' }));
      const recent = await conversations.recent(channel);
      expect(recent.map(({ answer }) => answer)).toEqual(['late, but better', 'answer 2']);
    });

    it('keeps the speakers of one channel apart', async () => {
      await using subject = await open(bounds);
      const { conversations } = subject;
      const bob = { id: userId.parse('400000000000000001'), name: 'Bob' };
      await conversations.append(channel, turn(1));
      await conversations.append(channel, turn(2, { speaker: bob }));
      const recent = await conversations.recent(channel);
      expect(recent.map(({ speaker }) => speaker.name)).toEqual(['Ada', 'Bob']);
    });

    it('gives back any text as it was', async () => {
      await using subject = await open(bounds);
      const odd = turn(1, { question: '\u202e"\\\n\0', answer: '👩‍👩‍👧 ü' });
      await subject.conversations.append(channel, odd);
      expect(await subject.conversations.recent(channel)).toEqual([odd]);
    });

    it('cuts a text that is longer than anyone will read again', async () => {
      await using subject = await open(bounds);
      await subject.conversations.append(channel, turn(1, { answer: 'x'.repeat(100_000) }));
      const [kept] = await subject.conversations.recent(channel);
      expect(kept?.answer.length).toBe(8_000);
    });

    it('forgets a channel that is quiet for its time to live', async () => {
      await using subject = await open({ ...bounds, ttlMs: 400 });
      await subject.conversations.append(channel, turn(1));
      await subject.pass(500);
      expect(await subject.conversations.recent(channel)).toEqual([]);
    });
  });
}
