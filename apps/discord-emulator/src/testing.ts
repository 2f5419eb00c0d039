/** The emulator's door for tests, benchmarks and the local fleet: start it in-process. */
export type { Knobs, KnobsInput } from './core/knobs.ts';
export type { RuleName, Violation } from './core/ports.ts';
export type { WorldInput } from './core/world-spec.ts';
export {
  type DiscordEmulator,
  type DiscordEmulatorOptions,
  startDiscordEmulator,
} from './emulator.ts';
export { type FaultInput, faultSpec } from './faults/fault-spec.ts';
export type { RecordReport } from './record/record.ts';
