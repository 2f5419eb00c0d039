import { ConfigError, type ConfigOf, ratesSection } from '@starling/config';
import type { AdmissionRates } from './admission.ts';

const rolePattern = /^(\d{1,20})=(\d{1,6})$/;

/**
 * The rates of the settings.
 * @throws {ConfigError} naming the role that does not read
 */
export function admissionRatesOf(config: ConfigOf<typeof ratesSection>): AdmissionRates {
  const { rolesPerMinute: words = [], ...rates } = config;
  const rolesPerMinute = new Map<string, number>();
  for (const word of words) {
    const [, role, permits] = rolePattern.exec(word) ?? [];
    if (role === undefined) {
      const { variable } = ratesSection.rolesPerMinute;
      const problem = 'write each as a role id, =, and a whole number: 123456789012345678=60';
      throw new ConfigError([{ variable, value: word, problem }]);
    }
    rolesPerMinute.set(role, Number(permits));
  }
  return { ...rates, rolesPerMinute };
}
