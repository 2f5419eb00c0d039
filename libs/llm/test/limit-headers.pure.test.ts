import { expect, it } from 'vitest';
import { toldLimitsOf } from '../src/limits/limit-headers.ts';

const told = (headers: Record<string, string>) => toldLimitsOf((name) => headers[name]);

it('reads what a provider tells of its limits, and nothing into what it does not [D2]', () => {
  expect(told({})).toBeUndefined();
  expect(
    told({
      'x-ratelimit-limit-requests': '60',
      'x-ratelimit-remaining-requests': '59',
      'x-ratelimit-reset-requests': '1s',
      'x-ratelimit-remaining-tokens': '149984',
      'x-ratelimit-reset-tokens': '6m0.5s',
    }),
  ).toEqual({
    requests: { permits: 60, remaining: 59, resetMs: 1_000 },
    tokens: { permits: undefined, remaining: 149_984, resetMs: 360_500 },
  });
  const odd = { 'x-ratelimit-remaining-tokens': '-3', 'x-ratelimit-limit-requests': 'many' };
  expect(told(odd)).toBeUndefined();
  const resets = (text: string) =>
    told({ 'x-ratelimit-remaining-tokens': '1', 'x-ratelimit-reset-tokens': text })?.tokens
      ?.resetMs;
  expect([resets('120ms'), resets('12'), resets('soon'), resets('1h2m')]).toEqual([
    120,
    12_000,
    undefined,
    3_720_000,
  ]);
});
