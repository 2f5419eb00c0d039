import type { JobStore } from '@starling/bus';
import { type DeadLetter, readDeadLetter } from './dead-letter.ts';

/** The dead letters that are kept now, newest last. What is no letter of ours is left out. */
export async function listDeadLetters(
  letters: Pick<JobStore, 'list'>,
): Promise<readonly DeadLetter[]> {
  return (await letters.list()).flatMap((message) => readDeadLetter(message) ?? []);
}
