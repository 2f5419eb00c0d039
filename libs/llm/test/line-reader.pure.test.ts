import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineReader, maxLineLength } from '../src/line-reader.ts';
import { SseReader } from '../src/sse-reader.ts';
import { anyCuts, bytesOf, cutAt } from './streams.ts';

function readAll(reader: LineReader | SseReader, ...chunks: (string | Uint8Array)[]): string[] {
  return bytesOf(...chunks).flatMap((chunk) => reader.read(chunk));
}
const sse = (...chunks: string[]) => readAll(new SseReader(), ...chunks);

describe('LineReader', () => {
  it('reads the same lines however the bytes are cut [C1]', () => {
    const text = 'erste\r\nzweite: größer 🐦\n\r\ndritte\rvierte\n';
    fc.assert(
      fc.property(anyCuts, (cuts) => {
        const lines = readAll(new LineReader(), ...cutAt(text, cuts));
        expect(lines).toEqual(['erste', 'zweite: größer 🐦', '', 'dritte', 'vierte']);
      }),
    );
  });

  it('keeps a last line without its end for whoever wants it', () => {
    const reader = new LineReader();
    expect(readAll(reader, 'a\nb')).toEqual(['a']);
    expect(reader.rest).toBe('b');
  });

  it('bounds a line that never ends', () => {
    const reader = new LineReader();
    const endless = () => {
      for (;;) reader.read(Buffer.alloc(64 * 1024, 'x'));
    };
    expect(endless).toThrow(
      expect.objectContaining({ fault: expect.objectContaining({ detail: 'line_too_long' }) }),
    );
    expect(maxLineLength).toBeGreaterThan(64 * 1024);
  });
});

describe('SseReader', () => {
  it('reads data, passes over comments, names and ids, joins lines of one event', () => {
    const events = sse(
      ': OPENROUTER PROCESSING\n\n',
      'event: message\nid: 7\ndata: one\n\n',
      'data:two\ndata: and more\nretry: 10\ndatum: no\n\n',
      'data\n\n',
    );
    expect(events).toEqual(['one', 'two\nand more', '']);
  });

  it('does not count an event that was not ended', () => {
    expect(sse('data: whole\n\ndata: ha')).toEqual(['whole']);
    expect(sse('data: whole\n\ndata: ha\n')).toEqual(['whole']);
  });

  it('bounds an event of many lines', () => {
    const reader = new SseReader();
    const endless = () => {
      for (;;) reader.read(Buffer.from(`data: ${'x'.repeat(10_000)}\n`));
    };
    expect(endless).toThrow(
      expect.objectContaining({ fault: expect.objectContaining({ detail: 'event_too_long' }) }),
    );
  });
});
