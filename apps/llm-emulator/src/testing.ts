/** The emulator's door for tests, benchmarks and the local fleet: start it in-process. */
export type { Fault, FaultsInput } from './faults/fault.ts';
export {
  type LlmEmulator,
  type LlmEmulatorKnobs,
  type LlmEmulatorOptions,
  startLlmEmulator,
} from './llm-emulator.ts';
export type { ProfileInput } from './profile.ts';
export type { RecordQuery, RecordReading } from './record/emulator-record.ts';
export type { RequestReading } from './record/request-entry.ts';
