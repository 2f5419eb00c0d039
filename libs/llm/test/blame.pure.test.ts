import { ConnectionError, PoolError } from '@starling/pool';
import { describe, expect, it } from 'vitest';
import { blameOf } from '../src/ladder/blame.ts';
import {
  faultAfterText,
  faultInStream,
  faultOfError,
  faultOfStatus,
  providerCodeIn,
} from '../src/provider-fault.ts';

const status = (code: number, body?: unknown) =>
  faultOfStatus(code, { providerCode: providerCodeIn(body, undefined) });

describe('the blame for a failed call', () => {
  it.each([
    [400, 'request'],
    [401, 'key_refused'],
    [402, 'key_refused'],
    [403, 'key_refused'],
    [404, 'server'],
    [408, 'server'],
    [413, 'request'],
    [429, 'key_limited'],
    [500, 'server'],
    [502, 'server'],
    [503, 'server'],
    [504, 'server'],
    [529, 'server'],
  ])('of HTTP %i goes to: %s [C5]', (code, blame) => {
    expect(blameOf(status(code))).toBe(blame);
  });

  it('knows a spent account, and a user whom a moderation stopped, by the body [C5]', () => {
    const quota = { error: { code: 'insufficient_quota' } };
    expect(blameOf(status(429, quota))).toBe('key_refused');
    const spent = {
      type: 'rate_limit_error',
      details: { error_code: 'enforced_spend_limit_reached' },
    };
    expect(status(429, { error: spent })).toMatchObject({ retryable: false });
    expect(blameOf(status(429, { error: spent }))).toBe('key_refused');
    const flagged = { error: { code: 403, metadata: { flagged_input: 'what was written' } } };
    expect(status(403, flagged)).toEqual({
      ...{ code: 'provider_refused', retryable: false, detail: 'http_403_flagged_input' },
    });
    expect(blameOf(status(403, flagged))).toBe('request');
  });

  it('of an error inside a stream is that of its word or status [C5]', () => {
    expect(blameOf(faultInStream('429'))).toBe('key_limited');
    expect(blameOf(faultInStream('rate_limit_error'))).toBe('key_limited');
    expect(blameOf(faultInStream('overloaded_error'))).toBe('server');
    expect(blameOf(faultInStream('authentication_error'))).toBe('key_refused');
    expect(blameOf(faultInStream(undefined))).toBe('server');
  });

  it('of a connection goes to the server, of our own pool and of the caller to nobody [C5]', () => {
    const reset = faultOfError(new ConnectionError('reset', ''));
    expect(blameOf(reset)).toBe('server');
    expect(blameOf(faultAfterText(reset))).toBe('server');
    expect(blameOf(faultOfError(new PoolError('full', '')))).toBe('nobody');
    expect(blameOf({ code: 'cancelled', detail: 'cancelled', retryable: false })).toBe('nobody');
    expect(blameOf(faultOfError(new Error('ours')))).toBe('request');
  });
});
