import { jobId } from '@starling/contracts';
import { describe, expect, it } from 'vitest';
import { partNonce } from '../src/part-nonce.ts';

describe('partNonce', () => {
  it('depends on the job and the part alone, and fits Discord’s 25 characters [A6]', () => {
    const first = jobId.parse('1400000000000000001');
    const second = jobId.parse('1400000000000000002');
    const nonces = [partNonce(first, 0), partNonce(first, 1), partNonce(second, 0)];
    expect(new Set(nonces).size).toBe(3);
    expect(partNonce(first, 0)).toBe(nonces[0]);
    expect(partNonce(first, 99).length).toBeLessThanOrEqual(25);
  });
});
