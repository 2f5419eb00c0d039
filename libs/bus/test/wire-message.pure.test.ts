import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { messageFrame } from '../src/nats-frame.ts';
import { bytes, text } from '../src/testing/bus-fixture.ts';
import { assertSendable, lastHeader, readHeaders, trimmedHeaders } from '../src/wire-message.ts';

const message = (headers: Record<string, string>, payload = '') => ({
  subject: 'a.b',
  payload: bytes(payload),
  headers,
});
const block = (headers: Record<string, string>) => assertSendable(message(headers), 1_000_000);

describe('headers on the wire', () => {
  it('are read as they were written, without the space around their values', () => {
    const name = fc
      .stringMatching(/^[!-9;-~]{1,12}$/)
      .filter((one) => !one.startsWith('Nats-') && one !== '__proto__');
    const value = fc.string({ unit: 'grapheme' }).filter((one) => !/[\r\n]/.test(one));
    fc.assert(
      fc.property(fc.dictionary(name, value, { noNullPrototype: true }), (headers) => {
        const written = block(headers);
        if (Object.keys(headers).length === 0) expect(written).toBe('');
        else
          expect(readHeaders(bytes(written))).toEqual({
            text: written,
            headers: trimmedHeaders(headers),
            status: undefined,
          });
      }),
    );
  });

  it.each([
    ["a server's own are left out", 'NATS/1.0\r\nNats-Stream: s\r\na: b\r\n\r\n', { a: 'b' }],
    ['of two of a name the first counts', 'NATS/1.0\r\na: b\r\na: c\r\n\r\n', { a: 'b' }],
    ['a value may have a colon', 'NATS/1.0\r\na:b: c:\r\n\r\n', { a: 'b: c:' }],
    ['a name that every object has', 'NATS/1.0\r\nconstructor: a\r\n\r\n', { constructor: 'a' }],
    ['the name of the prototype is none', 'NATS/1.0\r\n__proto__: a\r\nb: c\r\n\r\n', { b: 'c' }],
    ['a line without a name', 'NATS/1.0\r\n: b\r\nc\r\na: b\r\n\r\n', { a: 'b' }],
    ['nothing at all', '', {}],
    ['a block that was cut', 'NATS/1.0\r\na: b\r\nc: d', { a: 'b' }],
  ])('%s', (_what, written, headers) => {
    expect(readHeaders(bytes(written)).headers).toEqual(headers);
  });

  it.each([
    ['NATS/1.0 503\r\n\r\n', 503],
    ['NATS/1.0 503 No Responders\r\n\r\n', 503],
    ['NATS/1.0\r\na: b\r\n\r\n', undefined],
  ])('%j has the status %s', (written, status) => {
    expect(readHeaders(bytes(written)).status).toBe(status);
  });

  it.each([
    ["the server's own", 'NATS/1.0\r\nNats-Sequence: 7\r\na: b\r\n\r\n', '7'],
    [
      'what the server added, not what was sent',
      'NATS/1.0\r\nNats-Sequence: 1\r\nNats-Sequence: 7\r\n\r\n',
      '7',
    ],
    ['nothing in a value of another name', 'NATS/1.0\r\na: Nats-Sequence: 1\r\n\r\n', undefined],
    ['nothing of a longer name', 'NATS/1.0\r\nNats-Sequence-Of: 1\r\n\r\n', undefined],
    ['nothing at all', '', undefined],
  ])('a header that a message of a stream has is read: %s', (_what, written, value) => {
    expect(lastHeader(written, 'Nats-Sequence')).toBe(value);
  });
});

it.each([
  [message({}, 'hello'), undefined, 'PUB a.b 5\r\nhello\r\n'],
  [message({}, ''), 'inbox.1', 'PUB a.b inbox.1 0\r\n\r\n'],
  [message({ c: 'ü' }, 'ö'), undefined, 'HPUB a.b 19 21\r\nNATS/1.0\r\nc: ü\r\n\r\nö\r\n'],
  [message({ c: 'd' }, 'x'), 'r', 'HPUB a.b r 18 19\r\nNATS/1.0\r\nc: d\r\n\r\nx\r\n'],
])('a message is one command of the protocol: %j', (sent, reply, command) => {
  const frame = messageFrame(sent, assertSendable(sent, 1_000_000), reply);
  expect(text(frame)).toBe(command);
});
