import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fenceAtEnd } from '../src/fences.ts';
import { maxContentLength, maxParts, messageContents, splitMessage } from '../src/split-message.ts';

const word = fc.stringMatching(/^[a-zäß]{1,12}[.,!?]?$/);
const line = fc.array(word, { minLength: 1, maxLength: 40 }).map((words) => words.join(' '));
const list = fc
  .array(line, { minLength: 1, maxLength: 12 })
  .map((items) => items.map((item) => `- ${item}`).join('\n'));
const code = fc
  .tuple(fc.constantFrom('', 'ts', 'python', 'c++'), fc.array(line, { maxLength: 60 }))
  .map(([language, lines]) => `\`\`\`${language}\n${lines.join('\n')}\n\`\`\``);
const link = line.map((text) => `[${text.slice(0, 80)}](https://example.org/${text.length})`);
const table = fc
  .array(word, { minLength: 1, maxLength: 30 })
  .map((cells) => cells.map((cell) => `| ${cell} | ${cell} |`).join('\n'));
const blob = fc.string({ unit: 'grapheme', maxLength: 3000 });
const markdown = fc
  .array(fc.oneof(line, list, code, link, table, blob), { maxLength: 14 })
  .chain((blocks) =>
    fc
      .array(fc.constantFrom('\n\n', '\n', ' ', ''), {
        minLength: blocks.length,
        maxLength: blocks.length,
      })
      .map((gaps) => blocks.map((block, index) => block + gaps[index]).join('')),
  );

describe('splitMessage', () => {
  it('loses nothing, keeps every part within the bound and its fences balanced [F2]', () => {
    fc.assert(
      fc.property(markdown, fc.constantFrom(120, 500, maxContentLength), (text, limit) => {
        const parts = splitMessage(text, limit);
        expect(parts.map(({ body }) => body).join('')).toBe(text);
        for (const { open, body, close } of parts) {
          const content = open + body + close;
          expect(content.length).toBeLessThanOrEqual(limit);
          expect(body.length).toBeGreaterThan(0);
          expect(fenceAtEnd(content, undefined)).toBeUndefined();
          expect(content.isWellFormed() || !text.isWellFormed()).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('reopens a long code fence with its language [F2]', () => {
    const code = Array.from({ length: 200 }, (_, index) => `const value${index} = ${index};`);
    const text = `Here:\n\n\`\`\`ts\n${code.join('\n')}\n\`\`\`\nDone.`;
    const parts = splitMessage(text);
    expect(parts.length).toBeGreaterThan(1);
    expect(parts[0]?.close).toBe('```');
    expect(parts[1]?.open).toBe('```ts\n');
    expect(parts[1]?.body.startsWith('const value')).toBe(true);
  });

  it('moves a code block that fits into one message as a whole [F2]', () => {
    const intro = 'word '.repeat(120).trim();
    const block = `\`\`\`py\n${'x = 1\n'.repeat(280)}\`\`\``;
    const parts = splitMessage(`${intro}\n\n${block}`);
    expect(parts.map(({ body }) => body)).toEqual([`${intro}\n\n`, block]);
  });

  it('breaks between list items, not within one [F2]', () => {
    const items = Array.from({ length: 40 }, (_, index) => `- item ${index} ${'a '.repeat(40)}`);
    for (const { body } of splitMessage(items.join('\n')).slice(1)) {
      expect(body.startsWith('- item')).toBe(true);
    }
  });

  it('keeps a link whole [F2]', () => {
    const link = `[the page](https://example.org/${'a'.repeat(200)})`;
    const text = `${'word '.repeat(370)}${link} ${'word '.repeat(50)}`;
    const parts = splitMessage(text);
    expect(parts.some(({ body }) => body.includes(link))).toBe(true);
  });

  it('never cuts through a character of several code points [F2]', () => {
    const family = '👩‍👩‍👧‍👦';
    for (const { body } of splitMessage(family.repeat(400))) {
      expect(body.replaceAll(family, '')).toBe('');
    }
  });
});

describe('messageContents', () => {
  it('leaves out what Discord would refuse as empty', () => {
    expect(messageContents('\n'.repeat(5000))).toEqual([]);
    expect(messageContents('')).toEqual([]);
  });

  it('ends at its bound and says so', () => {
    const contents = messageContents('word '.repeat(20_000));
    expect(contents).toHaveLength(maxParts);
    expect(contents.at(-1)).toMatch(/the rest is left out\)$/);
    for (const content of contents) expect(content.length).toBeLessThanOrEqual(maxContentLength);
  });
});
