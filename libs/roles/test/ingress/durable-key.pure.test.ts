import { jobContract } from '@starling/contracts';
import { nextRunId } from '@starling/jobs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ChatRequest, parseChatRequest } from '../../src/ingress/chat-request.ts';
import { durableWish, firstRunOf, keyedJobId } from '../../src/ingress/durable-key.ts';
import { differingField, fingerprintOf } from '../../src/ingress/request-fingerprint.ts';

const limits = { defaultCompletionTokens: 100, maxCompletionTokens: 1_000 };

function requestOf(changes: object = {}): ChatRequest {
  const body = { model: 'm', messages: [{ role: 'user', content: 'Hi' }], ...changes };
  const parsed = parseChatRequest(JSON.stringify(body), limits);
  if ('problem' in parsed) throw new Error(parsed.problem.message);
  return parsed.request;
}

describe('the wish for a durable job', () => {
  it.each([
    [{}, undefined],
    [{ 'x-starling-durable': 'false', 'idempotency-key': 'k' }, undefined],
    [{ 'idempotency-key': 'k' }, undefined],
    [{ 'x-starling-durable': 'true', 'idempotency-key': 'order 7/a' }, { key: 'order 7/a' }],
    [
      { 'x-starling-durable': 'true', 'idempotency-key': 'k'.repeat(255) },
      { key: 'k'.repeat(255) },
    ],
  ])('of %o is %o', (headers, expected) => {
    expect(durableWish(headers)).toEqual(expected);
  });

  it.each([
    [{ 'x-starling-durable': 'true' }, 'missing_required_parameter', 'Idempotency-Key'],
    [
      { 'x-starling-durable': 'true', 'idempotency-key': '' },
      'missing_required_parameter',
      'Idempotency-Key',
    ],
    [
      { 'x-starling-durable': 'true', 'idempotency-key': 'k'.repeat(256) },
      'invalid_value',
      'Idempotency-Key',
    ],
    [{ 'x-starling-durable': 'true', 'idempotency-key': 'kö' }, 'invalid_value', 'Idempotency-Key'],
    [{ 'x-starling-durable': 'yes' }, 'invalid_value', 'x-starling-durable'],
  ])('of %o is refused by name', (headers, code, param) => {
    const wish = durableWish(headers);
    expect(wish).toMatchObject({ problem: { status: 400, code, param } });
    expect(JSON.stringify(wish)).not.toContain('kö');
  });
});

describe('the job of a key', () => {
  const name = fc.stringMatching(/^[A-Za-z0-9_.-]{1,64}$/);
  const key = fc.stringMatching(/^[\x20-\x7e]{1,255}$/);

  it('is one token of a subject, the same everywhere, and another one for each caller and key', () => {
    fc.assert(
      fc.property(name, key, name, key, (caller, key, otherCaller, otherKey) => {
        const id = keyedJobId({ caller, key });
        expect(jobContract.schema.shape.jobId.parse(id)).toBe(id);
        expect(keyedJobId({ caller, key })).toBe(id);
        const same = caller === otherCaller && key === otherKey;
        expect(keyedJobId({ caller: otherCaller, key: otherKey }) === id).toBe(same);
      }),
    );
  });

  it('cannot be reached by moving letters between the caller and the key', () => {
    expect(keyedJobId({ caller: 'a', key: 'b:c' })).not.toBe(
      keyedJobId({ caller: 'a.b', key: 'c' }),
    );
    expect(keyedJobId({ caller: 'ab', key: 'c' })).not.toBe(keyedJobId({ caller: 'a', key: 'bc' }));
  });

  it('is found from any of its runs, and from no other job', () => {
    const first = keyedJobId({ caller: 'a', key: 'k' });
    const second = nextRunId(first);
    expect(second).toBe(`${first}-r1`);
    for (const run of [first, second, nextRunId(second)]) expect(firstRunOf(run)).toBe(first);
    for (const other of ['112233445566778899', 'mfzxd-1', 'd-1']) {
      expect(firstRunOf(other as typeof first)).toBeUndefined();
    }
  });
});

describe('the fingerprint of a request', () => {
  const before = fingerprintOf(requestOf({ temperature: 1, stop: ['a'] }));
  const differs = (changes: object) =>
    differingField(fingerprintOf(requestOf({ temperature: 1, stop: ['a'], ...changes })), before);

  it('is that of what is asked for, not of how it is written or sent', () => {
    expect(differs({})).toBeUndefined();
    expect(differs({ stream: true, stream_options: { include_usage: true } })).toBeUndefined();
    expect(differs({ user: 'somebody', metadata: { a: 'b' }, stop: 'a' })).toBeUndefined();
    expect(differs({ max_tokens: 100, service_tier: 'auto' })).toBeUndefined();
  });

  it.each([
    ['model', { model: 'n' }],
    ['messages', { messages: [{ role: 'user', content: 'Ho' }] }],
    ['max_completion_tokens', { max_tokens: 7 }],
    ['service_tier', { service_tier: 'flex' }],
    ['temperature', { temperature: 0 }],
    ['temperature', { temperature: null }],
    ['stop', { stop: ['b'] }],
    ['seed', { seed: 1 }],
    ['top_p', { top_p: 0.5 }],
    ['frequency_penalty', { frequency_penalty: 1 }],
    ['presence_penalty', { presence_penalty: 1 }],
  ])('names %s when it differs', (field, changes) => {
    expect(differs(changes)).toBe(field);
  });

  it('of an older version says nothing', () => {
    expect(differingField(before, undefined)).toBeUndefined();
  });
});
