import { budgetsSection, type ConfigOf, ratesSection } from '@starling/config';
import type { AdmissionBudgets, AdmissionRates } from './admission.ts';
import { rolePermitsOf } from './role-permits.ts';

/**
 * The rates of the settings.
 * @throws {ConfigError} naming the role that does not read
 */
export function admissionRatesOf(config: ConfigOf<typeof ratesSection>): AdmissionRates {
  const rolesPerMinute = rolePermitsOf(config.rolesPerMinute, ratesSection.rolesPerMinute);
  return { ...config, rolesPerMinute };
}

/**
 * The budgets of the settings.
 * @throws {ConfigError} naming the role that does not read
 */
export function admissionBudgetsOf(config: ConfigOf<typeof budgetsSection>): AdmissionBudgets {
  return { ...config, rolesPerDay: rolePermitsOf(config.rolesPerDay, budgetsSection.rolesPerDay) };
}
