import { phaseNames } from '@starling/contracts';
import { describe, expect, it } from 'vitest';
import { isAsExpected } from '../src/commands/demo-verdict.ts';
import { exchange } from './exchange-fixture.ts';

const answer = { answered: true, text: 'Yes.', edits: 1, messages: [] };
const phases = Object.fromEntries(phaseNames.map((phase) => [phase, 1]));
const plain = { withFault: false, ownText: false };
const outcome = (changes: Parameters<typeof exchange>[0], dm = false) => ({
  saying: { content: 'Is it?', dm },
  answer,
  exchange: exchange({ phases, ...changes }),
});

describe('the verdict of a demo', () => {
  it('wants an answer with the time of every phase; in a direct message one may be missing', () => {
    expect(isAsExpected(outcome({}), plain)).toBe(true);
    const { admit: _, ...most } = phases;
    expect(isAsExpected(outcome({ phases: most }), plain)).toBe(false);
    expect(isAsExpected(outcome({ phases: most }, true), plain)).toBe(true);
    expect(isAsExpected({ ...outcome({}), exchange: undefined }, plain)).toBe(false);
    const silent = { ...answer, answered: false };
    expect(isAsExpected({ ...outcome({}), answer: silent }, plain)).toBe(false);
  });

  it('takes a refusal only for a text of the person’s own, and only when that is the reason', () => {
    const tooLong = outcome({ ending: { kind: 'refused', code: 'too_long' } });
    const busy = outcome({ ending: { kind: 'refused', code: 'too_busy' } });
    expect(isAsExpected(tooLong, plain)).toBe(false);
    expect(isAsExpected(tooLong, { ...plain, ownText: true })).toBe(true);
    expect(isAsExpected(busy, { ...plain, ownText: true })).toBe(false);
  });

  it('takes a failure only with a fault, and only the provider’s', () => {
    const failed = outcome({ ending: { kind: 'failed', code: 'provider_unavailable' } });
    const nobody = outcome({ ending: { kind: 'failed', code: 'no_worker' } });
    const withFault = { ...plain, withFault: true };
    expect(isAsExpected(failed, withFault)).toBe(true);
    expect(isAsExpected(failed, plain)).toBe(false);
    expect(isAsExpected(nobody, withFault)).toBe(false);
    expect(isAsExpected(outcome({}), withFault)).toBe(false);
  });
});
