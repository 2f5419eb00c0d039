import { type Clock, seededRandom, systemClock } from '@starling/clock';
import { onTestFinished } from 'vitest';
import {
  type FaultsInput,
  type LlmEmulator,
  type LlmEmulatorKnobs,
  type ProfileInput,
  startLlmEmulator,
} from '../src/testing.ts';

/** A model that answers in 20 LLM tokens without any delay. */
export const quickModel = {
  name: 'm',
  headersMs: { median: 0 },
  firstTokenMs: { median: 0 },
  tokensPerSecond: { median: 1_000_000 },
  answerTokens: { median: 20 },
};

/** `m` answers at once, `slow` takes ten seconds to its second LLM token. */
export const quickProfile = {
  seed: 1,
  models: [quickModel, { ...quickModel, name: 'slow', tokensPerSecond: { median: 0.1 } }],
} satisfies ProfileInput;

/** An emulator of the test's own, closed when the test is over. */
export async function emulatorForTest(
  faults: FaultsInput = {},
  knobs: LlmEmulatorKnobs = {},
  clock: Clock = systemClock,
): Promise<LlmEmulator> {
  const emulator = await startLlmEmulator({
    clock,
    random: seededRandom(1),
    knobs: { profile: quickProfile, faults, ...knobs },
  });
  onTestFinished(() => emulator.close());
  return emulator;
}

/** Resolves as soon as the condition holds; the test's own timeout is the bound. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await systemClock.sleep(5);
}

/** The latest request of the record. */
export const lastRequest = (emulator: LlmEmulator) => emulator.readRecord().requests.at(-1);

/** Resolves with the latest request once its client's close was seen. */
export async function seenAbort(emulator: LlmEmulator) {
  await until(() => lastRequest(emulator)?.ending === 'aborted');
  return lastRequest(emulator);
}
