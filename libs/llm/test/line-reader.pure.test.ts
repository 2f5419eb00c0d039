import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { linesOf, maxLineLength } from '../src/line-reader.ts';
import { sseDataOf } from '../src/sse-data.ts';
import { anyCuts, bytesOf, collect, cutAt } from './streams.ts';

const sse = (...chunks: (string | Uint8Array)[]) => collect(sseDataOf(linesOf(bytesOf(...chunks))));

describe('linesOf', () => {
  it('reads the same lines however the bytes are cut [C1]', async () => {
    const text = 'erste\r\nzweite: größer 🐦\n\r\ndritte\rvierte\n';
    await fc.assert(
      fc.asyncProperty(anyCuts, async (cuts) => {
        const lines = await collect(linesOf(bytesOf(...cutAt(text, cuts))));
        expect(lines).toEqual(['erste', 'zweite: größer 🐦', '', 'dritte', 'vierte']);
      }),
    );
  });

  it('hands a last line without its end to whoever wants it', async () => {
    let rest = '';
    const lines = linesOf(bytesOf('a\nb'), {
      onRest: (line) => {
        rest = line;
      },
    });
    expect(await collect(lines)).toEqual(['a']);
    expect(rest).toBe('b');
  });

  it('bounds a line that never ends', async () => {
    async function* endless() {
      for (;;) yield Buffer.alloc(64 * 1024, 'x');
    }
    await expect(collect(linesOf(endless()))).rejects.toMatchObject({
      fault: { detail: 'line_too_long' },
    });
    expect(maxLineLength).toBeGreaterThan(64 * 1024);
  });
});

describe('sseDataOf', () => {
  it('reads data, passes over comments, names and ids, joins lines of one event', async () => {
    const events = await sse(
      ': OPENROUTER PROCESSING\n\n',
      'event: message\nid: 7\ndata: one\n\n',
      'data:two\ndata: and more\nretry: 10\n\n',
      'data\n\n',
    );
    expect(events).toEqual(['one', 'two\nand more', '']);
  });

  it('does not count an event that was not ended', async () => {
    expect(await sse('data: whole\n\ndata: ha')).toEqual(['whole']);
    expect(await sse('data: whole\n\ndata: ha\n')).toEqual(['whole']);
  });

  it('bounds an event of many lines', async () => {
    async function* endless() {
      for (;;) yield `data: ${'x'.repeat(10_000)}`;
    }
    await expect(collect(sseDataOf(endless()))).rejects.toMatchObject({
      fault: { detail: 'event_too_long' },
    });
  });
});
