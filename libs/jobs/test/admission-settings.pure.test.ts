import { parseConfig, ratesSection } from '@starling/config';
import { describe, expect, it } from 'vitest';
import { admissionRatesOf } from '../src/index.ts';

const ratesIn = (environment: Record<string, string>) =>
  admissionRatesOf(parseConfig(ratesSection, environment));

describe('the rates of the settings', () => {
  it('are those of the list of features unless somebody sets them [D1]', () => {
    expect(ratesIn({})).toMatchObject({ userPerSecond: 2, userBurst: 5, userPerMinute: 20 });
  });

  it('give roles their own, and name one that does not read [D1]', () => {
    const { rolesPerMinute } = ratesIn({ STARLING_ROLES_PER_MINUTE: '123=60, 456=0' });
    expect([...rolesPerMinute]).toEqual([
      ['123', 60],
      ['456', 0],
    ]);
    expect(() => ratesIn({ STARLING_ROLES_PER_MINUTE: 'vip=60' })).toThrow(/"vip=60": write each/);
  });
});
