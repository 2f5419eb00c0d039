import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attachBody, cancelContract, decode, detachBody, encode, jobId } from '../src/index.ts';

const cancel = { jobId: jobId.parse('a'), reason: 'user' } as const;

describe('a message with a body', () => {
  it('is taken apart as it was put together, whatever bytes the body has', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const { body, head } = detachBody(attachBody(encode(cancelContract, cancel), bytes));
        expect(decode(cancelContract, head)).toEqual({ ok: true, value: cancel });
        expect([...(body ?? [])]).toEqual([...bytes]);
      }),
    );
  });

  it('tells a message without a body from one whose body is empty', () => {
    const head = encode(cancelContract, cancel);
    expect(detachBody(head)).toEqual({ head, body: undefined });
    expect(detachBody(attachBody(head, new Uint8Array())).body).toHaveLength(0);
  });
});
