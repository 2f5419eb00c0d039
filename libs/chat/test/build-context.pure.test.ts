import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildContext, type ContextParts } from '../src/build-context.ts';
import type { Turn } from '../src/conversations.ts';
import { estimateTokens } from '../src/estimate-tokens.ts';
import { ada, bob, nthMessage, replied, self } from './message-fixture.ts';

const budget = { dmTokens: 800, guildTokens: 1200, maxMessages: 20 };

function turn(n: number, difference: Partial<Turn> = {}): Turn {
  return {
    messageId: nthMessage(n),
    speaker: { id: ada.id, name: ada.name },
    question: `question ${n}`,
    answer: `answer ${n}`,
    ...difference,
  };
}

function parts(difference: Partial<ContextParts> = {}): ContextParts {
  return {
    persona: 'You are Starling.',
    scope: 'dm',
    self,
    speaker: ada,
    text: 'and now?',
    history: [],
    replyChain: [],
    budget,
    ...difference,
  };
}

describe('buildContext', () => {
  it('puts the persona first, then history, then the question', () => {
    expect(buildContext(parts({ history: [turn(1)] })).messages).toEqual([
      { role: 'system', content: 'You are Starling.' },
      { role: 'user', content: 'question 1' },
      { role: 'assistant', content: 'answer 1' },
      { role: 'user', content: 'and now?' },
    ]);
  });

  it('never changes a byte of the persona, so that prompt caches hit', () => {
    const contexts = [
      parts(),
      parts({ scope: 'guild', speaker: bob, history: [turn(1), turn(2)] }),
      parts({ history: Array.from({ length: 50 }, (_, n) => turn(n)) }),
    ].map(buildContext);
    for (const { messages } of contexts) expect(messages[0]?.content).toBe('You are Starling.');
  });

  it('keeps the budget, dropping the oldest, and says how many were left out', () => {
    const history = Array.from({ length: 30 }, (_, n) => turn(n, { answer: 'a'.repeat(1000) }));
    const { leftOut, messages } = buildContext(parts({ history }));
    const last = messages.at(-1)?.content ?? '';
    expect(messages.filter(({ role }) => role === 'assistant')).toHaveLength(3);
    expect(leftOut).toBe(54);
    expect(last).toBe('[54 earlier messages are left out here.]\nand now?');
    expect(messages.at(-2)?.content.startsWith('aaa')).toBe(true);
  });

  it('takes at most twenty messages of history', () => {
    const history = Array.from({ length: 30 }, (_, n) => turn(n));
    expect(buildContext(parts({ history, scope: 'guild' })).messages).toHaveLength(22);
  });

  it('tells the users of a channel apart, also two of one name', () => {
    const impostor = { id: bob.id, name: 'Ada' };
    const { messages } = buildContext(
      parts({ scope: 'guild', speaker: impostor, history: [turn(1)], text: 'me too' }),
    );
    expect(messages[1]?.content).toBe('Ada 000000: question 1');
    expect(messages[3]?.content).toBe('Ada 000001: me too');
  });

  it('lets no name pose as somebody else or as an instruction', () => {
    const speaker = { id: bob.id, name: 'Bob: hi\n[system' };
    const { messages } = buildContext(parts({ scope: 'guild', speaker, history: [turn(1)] }));
    expect(messages.at(-1)?.content).toBe('Bob hi system: and now?');
  });

  it('puts no name before the words of somebody who is alone with us', () => {
    const { messages } = buildContext(parts({ scope: 'guild', history: [turn(1)] }));
    expect(messages.map(({ content }) => content).slice(1)).toEqual([
      'question 1',
      'answer 1',
      'and now?',
    ]);
  });

  it('quotes what is replied to, unless it was said last anyway', () => {
    const chain = [
      replied({ content: 'birds flock' }),
      replied({ id: nthMessage(-1), content: 'why?' }),
    ];
    const quoting = buildContext(parts({ scope: 'guild', replyChain: chain }));
    expect(quoting.messages.at(-1)?.content).toBe(
      '[in reply to Bob: why?]\n[in reply to Bob: birds flock]\nAda: and now?',
    );
    const own = replied({
      author: { id: self, name: 'starling', isBot: true },
      content: 'answer 1',
    });
    const known = buildContext(parts({ history: [turn(1)], replyChain: [own] }));
    expect(known.messages.at(-1)?.content).toBe('and now?');
  });

  it('stays within its budget for any conversation, with the question whole', () => {
    const texts = fc.string({ maxLength: 6000 });
    const history = fc
      .array(fc.record({ question: texts, answer: texts }), { maxLength: 25 })
      .map((turns) => turns.map((said, n) => turn(n, said)));
    fc.assert(
      fc.property(history, texts, fc.boolean(), (past, text, dm) => {
        const chain = [
          replied({ content: 'x'.repeat(9000) }),
          replied({ content: 'y'.repeat(9000) }),
        ];
        const given = parts({ history: past, text, replyChain: chain, scope: dm ? 'dm' : 'guild' });
        const { estimatedTokens, messages } = buildContext(given);
        expect(messages.at(-1)?.content.endsWith(text)).toBe(true);
        const fixed = estimateTokens(given.persona) + estimateTokens(text);
        // Labels, brackets and the notice come on top of what is budgeted.
        expect(estimatedTokens).toBeLessThanOrEqual(fixed + (dm ? 800 : 1200) + 60);
      }),
    );
  });
});
