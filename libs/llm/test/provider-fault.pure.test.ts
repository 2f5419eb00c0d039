import { ConnectionError, PoolError } from '@starling/pool';
import { describe, expect, it } from 'vitest';
import {
  faultAfterText,
  faultOfError,
  faultOfStatus,
  providerCodeIn,
} from '../src/provider-fault.ts';
import { maxRetryAfterMs, retryAfterMsOf } from '../src/retry-after.ts';

describe('provider faults', () => {
  it.each([
    [400, 'provider_refused', false],
    [401, 'provider_unavailable', false],
    [402, 'provider_unavailable', false],
    [404, 'provider_unavailable', false],
    [408, 'provider_timeout', true],
    [413, 'provider_refused', false],
    [422, 'provider_refused', false],
    [429, 'provider_limited', true],
    [500, 'provider_unavailable', true],
    [503, 'provider_unavailable', true],
    [504, 'provider_timeout', true],
    [529, 'provider_limited', true],
    [302, 'provider_unavailable', true],
  ])('HTTP %i is %s, retryable %s [C4]', (status, code, retryable) => {
    expect(faultOfStatus(status, {})).toEqual({ code, retryable, detail: `http_${status}` });
  });

  it('knows an empty account from a busy provider [C4]', () => {
    expect(faultOfStatus(429, { providerCode: 'insufficient_quota' })).toMatchObject({
      code: 'provider_unavailable',
      retryable: false,
    });
  });

  it.each([
    [new ConnectionError('connect_timeout', ''), 'provider_timeout', 'connect_timeout'],
    [new ConnectionError('refused', ''), 'provider_unavailable', 'connection_refused'],
    [new PoolError('full', ''), 'too_busy', 'pool_full'],
    [new TypeError('a mistake of ours'), 'internal', 'internal'],
  ])('names %s', (error, code, detail) => {
    expect(faultOfError(error)).toMatchObject({ code, detail });
  });

  it('says that the answer broke off once there was text', () => {
    const reset = faultOfError(new ConnectionError('reset', ''));
    expect(faultAfterText(reset)).toMatchObject({ code: 'answer_cut', detail: 'connection_reset' });
    const cancelled = { code: 'cancelled', retryable: false, detail: 'cancelled' } as const;
    expect(faultAfterText(cancelled)).toBe(cancelled);
  });

  it('takes a plain code from an error body and never a text or the key', () => {
    const key = 'sk-abcdef';
    expect(providerCodeIn({ error: { code: 'model_not_found' } }, key)).toBe('model_not_found');
    expect(providerCodeIn({ error: { code: null, type: 'invalid_request_error' } }, key)).toBe(
      'invalid_request_error',
    );
    expect(providerCodeIn({ error: { code: 429 } }, key)).toBe('429');
    expect(providerCodeIn({ error: { code: `bad ${key}` } }, key)).toBeUndefined();
    expect(providerCodeIn({ error: { code: `bad_${key}` } }, key)).toBeUndefined();
    for (const body of [undefined, null, 'text', [], { error: 'text' }, { error: [] }]) {
      expect(providerCodeIn(body, key)).toBeUndefined();
    }
  });

  it('reads Retry-After in seconds, as a date and in milliseconds [C4]', () => {
    const retryAfter = (headers: Readonly<Record<string, string>>, now: number) =>
      retryAfterMsOf((name) => headers[name], now);
    const nowMs = Date.parse('2026-11-22T12:00:00Z');
    expect(retryAfter({ 'retry-after': '2' }, nowMs)).toBe(2_000);
    expect(retryAfter({ 'retry-after': 'Sun, 22 Nov 2026 12:00:05 GMT' }, nowMs)).toBe(5_000);
    expect(retryAfter({ 'retry-after': '9', 'retry-after-ms': '150.5' }, nowMs)).toBe(151);
    expect(retryAfter({ 'retry-after': 'Sat, 21 Nov 2026 12:00:00 GMT' }, nowMs)).toBe(0);
    expect(retryAfter({ 'retry-after': '1e99' }, nowMs)).toBe(maxRetryAfterMs);
    expect(retryAfter({ 'retry-after': 'soon' }, nowMs)).toBeUndefined();
    expect(retryAfter({}, nowMs)).toBeUndefined();
  });
});
