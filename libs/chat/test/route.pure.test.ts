import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { IncomingMessage } from '../src/incoming-message.ts';
import { route } from '../src/route.ts';
import { ada, directMessage, guildMessage, replied, self } from './message-fixture.ts';

const options = { self, maxTextLength: 4000, budgetMs: 100, monotonicMs: () => 0 };
const routed = (message: IncomingMessage) => route(message, options);

describe('route', () => {
  it('answers a mention, without the mention itself [F1]', () => {
    expect(routed(guildMessage())).toEqual({
      kind: 'addressed',
      by: 'mention',
      scope: 'guild',
      path: 'full',
      complexity: 'simple',
      text: 'what is a murmuration?',
    });
  });

  it('answers a reply to us without a mention [F1]', () => {
    const message = guildMessage({
      content: 'and why?',
      mentions: [],
      repliedTo: replied({ author: { id: self, name: 'starling', isBot: true } }),
    });
    expect(routed(message)).toMatchObject({ kind: 'addressed', by: 'reply', text: 'and why?' });
  });

  it('answers a direct message on the fast path [A3] [F1]', () => {
    expect(routed(directMessage())).toMatchObject({
      kind: 'addressed',
      by: 'dm',
      scope: 'dm',
      path: 'fast',
    });
  });

  it('drops what is not addressed to us [F1]', () => {
    const unaddressed = [
      guildMessage({ content: 'hello all', mentions: [] }),
      guildMessage({ content: '@everyone wake up', mentions: [] }),
      guildMessage({ content: 'as I said', mentions: [], repliedTo: replied() }),
      guildMessage({ content: 'hi', mentions: [ada.id] }),
    ];
    for (const message of unaddressed) {
      expect(routed(message)).toEqual({ kind: 'ignored', because: 'unaddressed' });
    }
  });

  it('never answers a program, itself first of all [F9]', () => {
    const by = (difference: Partial<IncomingMessage>) => {
      const result = routed(guildMessage(difference));
      return result.kind === 'ignored' ? result.because : result.kind;
    };
    expect(by({ author: { ...ada, id: self } })).toBe('own');
    expect(by({ author: { ...ada, isBot: true } })).toBe('bot');
    expect(by({ isWebhook: true })).toBe('webhook');
    expect(by({ isSystem: true })).toBe('system');
  });

  it('refuses a message in which nothing can be read [F10]', () => {
    const blank = [
      '',
      '   ',
      '\n\t',
      '\u200b\u200d\ufeff',
      '\u2800\u3164',
      '\u202e',
      '\u0301',
      `<@!${self}>`,
    ];
    for (const content of blank) {
      expect(routed(directMessage({ content }))).toMatchObject({ kind: 'refused', code: 'empty' });
      expect(routed(guildMessage({ content: `<@${self}> ${content}` }))).toMatchObject({
        kind: 'refused',
        code: 'empty',
      });
    }
  });

  it('takes emoji, right-to-left text and 4 000 characters for what they are', () => {
    for (const content of ['👍', '👩‍👩‍👧‍👦', '❤️', '⁉', 'مرحبا كيف حالك', 'x'.repeat(4000)]) {
      expect(routed(directMessage({ content }))).toMatchObject({
        kind: 'addressed',
        text: content,
      });
    }
  });

  it('refuses what is longer than its bound [F10]', () => {
    const content = 'x'.repeat(4001);
    expect(routed(directMessage({ content }))).toMatchObject({ kind: 'refused', code: 'too_long' });
  });

  it('takes the full path where there is more to gather [A3]', () => {
    expect(routed(directMessage({ repliedTo: replied() }))).toMatchObject({ path: 'full' });
    expect(routed(directMessage({ attachments: 1 }))).toMatchObject({ path: 'full' });
  });

  it('sends most direct messages down the fast path [A3]', () => {
    const dms = ['hi', 'thanks!', 'what is 2 + 2?', 'write a poem\nabout rain', '```js\n1\n```'];
    const fast = dms.filter((content) => {
      const result = routed(directMessage({ content }));
      return result.kind === 'addressed' && result.path === 'fast';
    });
    expect(fast.length / dms.length).toBeGreaterThan(0.6);
  });

  it('falls back to history alone when its budget runs out [A3]', () => {
    let nowMs = 0;
    const slow = { ...options, monotonicMs: () => (nowMs += 101) };
    expect(route(guildMessage(), slow)).toMatchObject({ kind: 'addressed', path: 'emergency' });
  });

  it('never throws, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 5000 }), (content) => {
        expect(['addressed', 'refused']).toContain(routed(guildMessage({ content })).kind);
      }),
    );
  });
});
