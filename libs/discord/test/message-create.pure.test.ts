import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeMessage, deletedMessages } from '../src/message-create.ts';

const raw = {
  id: '1400000000000000001',
  channel_id: '200000000000000000',
  guild_id: '300000000000000000',
  type: 19,
  content: 'and why?',
  author: { id: '400000000000000000', username: 'ada', global_name: 'Ada' },
  member: { nick: 'Countess', roles: ['7', 8] },
  mentions: [{ id: '500000000000000000' }],
  attachments: [{}],
  referenced_message: {
    id: '1400000000000000000',
    author: { id: '500000000000000000', username: 'starling', bot: true },
    content: 'because',
    message_reference: { message_id: '1399999999999999999' },
  },
};

describe('decodeMessage', () => {
  it('reads a message with its reply', () => {
    expect(decodeMessage(raw)).toEqual({
      id: '1400000000000000001',
      channelId: '200000000000000000',
      guildId: '300000000000000000',
      author: { id: '400000000000000000', name: 'Countess', isBot: false },
      roles: ['7'],
      isWebhook: false,
      isSystem: false,
      content: 'and why?',
      mentions: ['500000000000000000'],
      repliedTo: {
        id: '1400000000000000000',
        author: { id: '500000000000000000', name: 'starling', isBot: true },
        content: 'because',
        hasControls: false,
        repliesTo: '1399999999999999999',
      },
      attachments: 1,
    });
  });

  it('never throws, whatever the gateway sends', () => {
    fc.assert(fc.property(fc.anything(), (data) => void decodeMessage(data)));
    const mangled = fc.record(
      Object.fromEntries(Object.keys(raw).map((key) => [key, fc.anything()])),
      { requiredKeys: [] },
    );
    fc.assert(fc.property(mangled, (data) => void decodeMessage({ ...raw, ...data })));
  });
});

describe('deletedMessages', () => {
  it('reads one and several', () => {
    expect(deletedMessages({ id: raw.id })).toEqual([raw.id]);
    expect(deletedMessages({ ids: [raw.id, 'x', 7] })).toEqual([raw.id]);
    expect(deletedMessages(null)).toEqual([]);
  });
});
