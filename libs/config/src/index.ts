export { allSections } from './all-sections.ts';
export { configurationPagePath, renderConfigurationPage } from './configuration-page.ts';
export { parseEnvText, withEnvFile } from './env-file.ts';
export {
  ConfigError,
  type ConfigOf,
  type ConfigProblem,
  type Environment,
  type Field,
  field,
  parseConfig,
  type Section,
} from './parse.ts';
export * from './sections.ts';
