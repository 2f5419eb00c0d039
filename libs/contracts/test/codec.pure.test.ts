import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import {
  cancelContract,
  decode,
  defineContract,
  EncodeError,
  encode,
  type JobId,
  jobId,
  type LoadReport,
  loadReportContract,
} from '../src/index.ts';
import { arbitraryPayload } from './arbitrary-payload.ts';
import { contracts, type Json } from './published.ts';

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const cancel = { jobId: jobId.parse('112233445566778899'), reason: 'user' } as const;

describe.each(contracts)('$name', (contract) => {
  const schema = z.toJSONSchema(contract.schema, { io: 'input' });
  const payloads = arbitraryPayload(schema as { readonly [keyword: string]: Json });

  it('comes back as it was sent', () => {
    fc.assert(
      fc.property(payloads, (payload) => {
        const value = contract.schema.parse(payload);
        const decoded = decode(contract, encode(contract, value));
        // JSON knows no -0 and no absent fields; what it writes is what is compared.
        expect(decoded).toEqual({ ok: true, value: JSON.parse(JSON.stringify(value)) });
      }),
      { numRuns: 50 },
    );
  });

  it('ignores fields of a later version that older readers need not know', () => {
    fc.assert(
      fc.property(payloads, (payload) => {
        const value = contract.schema.parse(payload);
        const decoded = decode(contract, bytes({ v: contract.version, ...value, later: { a: 1 } }));
        expect(decoded).toEqual({ ok: true, value: JSON.parse(JSON.stringify(value)) });
      }),
      { numRuns: 20 },
    );
  });

  it('leaves a newer version alone, whatever it holds', () => {
    const version = contract.version + 1;
    expect(decode(contract, bytes({ v: version, other: true }))).toEqual({
      ok: false,
      fault: { kind: 'newer', version },
    });
  });
});

describe('decode', () => {
  it.each([
    ['nothing', new Uint8Array(), 'not_json'],
    ['half a message', new TextEncoder().encode('{"v":1,"jobId":'), 'not_json'],
    ['bytes that are no UTF-8', new Uint8Array([0x22, 0xff, 0xfe, 0x22]), 'not_json'],
    ['a list', bytes([1]), 'invalid'],
    ['null', bytes(null), 'invalid'],
    ['a field missing', bytes({ v: 1, jobId: cancel.jobId }), 'invalid'],
    ['a value of nobody', bytes({ v: 1, ...cancel, reason: 'boredom' }), 'invalid'],
    ['an id with a wildcard', bytes({ v: 1, ...cancel, jobId: 'a.>' }), 'invalid'],
    ['more than its bound', bytes({ v: 1, ...cancel, note: 'x'.repeat(2_000) }), 'too_large'],
  ])('says why %s is no message', (_what, wire, kind) => {
    expect(decode(cancelContract, wire)).toMatchObject({ ok: false, fault: { kind } });
  });

  it('names the field that is wrong', () => {
    const decoded = decode(cancelContract, bytes({ v: 1, ...cancel, reason: 'boredom' }));
    expect(decoded).toMatchObject({ fault: { problem: expect.stringContaining('reason') } });
  });

  it('never throws, whatever arrives', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((json) => new TextEncoder().encode(json)),
        ),
        (wire) => {
          for (const contract of contracts) expect(decode(contract, wire)).toHaveProperty('ok');
        },
      ),
    );
  });
});

describe('a load report', () => {
  it('fits its bound with a thousand slots and everything else at its own [B3]', () => {
    const ids = (kind: string, count: number) =>
      Array.from({ length: count }, (_, n) => `${kind}${n}-`.padEnd(64, 'x') as JobId);
    const running = ids('r', 1_000);
    const models = Array.from({ length: 100 }, (_, n) => `m${n}-`.padEnd(200, 'y'));
    const report = {
      ...{ workerId: 'w'.repeat(64), epoch: Number.MAX_SAFE_INTEGER, slots: 1_000, running },
      ...{ sequence: Number.MAX_SAFE_INTEGER, draining: false, errorRate: 1 / 3 },
      following: ids('f', 500),
      grants: Object.fromEntries(ids('b', 64).map((id) => [id, 1_000])),
      attempts: Object.fromEntries(running.map((id) => [id, 2])),
      ended: ids('e', 500).map((jobId) => ({ jobId, tokens: Number.MAX_SAFE_INTEGER })),
      models: { served: models, loaded: models },
      firstTokenMs: 1e9 / 3,
    };
    expect(decode(loadReportContract, encode(loadReportContract, report as LoadReport)).ok).toBe(
      true,
    );
  });
});

describe('encode', () => {
  it('writes the version first, for people who read a stream', () => {
    expect(text(encode(cancelContract, cancel))).toBe(
      '{"v":1,"jobId":"112233445566778899","reason":"user"}',
    );
  });

  it('refuses a value that does not fit, and names the contract', () => {
    const wrong = { jobId: 'a b', reason: 'user' } as const;
    expect(() => encode(cancelContract, wrong)).toThrow(EncodeError);
    expect(() => encode(cancelContract, wrong)).toThrow(
      expect.objectContaining({ fault: 'invalid' }),
    );
    expect(() => encode(cancelContract, wrong)).toThrow(/^cancel: /);
  });

  it('refuses more bytes than the bound, counted as UTF-8', () => {
    const small = defineContract({
      name: 'small',
      subject: 'small',
      version: 1,
      delivery: 'at-most-once',
      maxBytes: 30,
      schema: z.object({ text: z.string() }),
    });
    expect(encode(small, { text: 'x'.repeat(13) }).byteLength).toBe(30);
    expect(() => encode(small, { text: 'ü'.repeat(13) })).toThrow(
      /43 bytes is over its bound of 30/,
    );
  });
});

it('a schema is asked only about what its quick reader refuses', () => {
  const schema = z.object({ text: z.string() });
  const asked = vi.spyOn(schema, 'safeParse');
  const contract = defineContract({
    name: 'plain',
    subject: 'plain',
    version: 1,
    delivery: 'at-most-once',
    maxBytes: 100,
    schema,
  });
  expect(decode(contract, encode(contract, { text: 'a' }))).toMatchObject({ ok: true });
  expect(asked).not.toHaveBeenCalled();
  expect(decode(contract, bytes({ text: 1 }))).toMatchObject({ ok: false });
  expect(asked).toHaveBeenCalledOnce();
});
