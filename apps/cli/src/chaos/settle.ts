/** The wait after the load: until all that is owed is there, or its time is over. */
import type { Clock } from '@starling/clock';
import type { AcceptedJobs } from './accepted-jobs.ts';
import { readAnswers, type SeenAnswer } from './answers.ts';
import type { DiscordSide } from './discord-side.ts';
import type { SaidMessage } from './message-load.ts';

/** A job has 60 s, and an answer or an honest failure 15 s after that; the rest is for our looks. */
export const settleBoundMs = 80_000;
/** What is not stored by then will not be: a cluster retries for 5 s. */
const mayBeStoredMs = 8_000;
/** For late second answers and edits of a process that went on: the protocol repairs them within 2 s. */
const lingerMs = 3_000;
const lookEveryMs = 500;

export interface Settled {
  readonly answers: ReadonlyMap<string, SeenAnswer>;
  /** How long it took, the bound when that passed. */
  readonly settledMs: number;
}

/**
 * Waits until each message has a final answer or was never stored, and no job is left; at most
 * {@link settleBoundMs}. Then looks at all of them once more.
 */
export async function settle(parts: {
  readonly discord: DiscordSide;
  readonly accepted: AcceptedJobs;
  readonly messages: readonly SaidMessage[];
  /** Whether nothing has to stand below a message any more. */
  readonly withdrawn: (id: string) => boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): Promise<Settled> {
  const { accepted, clock, discord, messages, signal, withdrawn } = parts;
  const startMs = clock.monotonicMs();
  const elapsedMs = () => clock.monotonicMs() - startMs;
  let open = messages.map(({ id }) => id);
  while (elapsedMs() < settleBoundMs) {
    const seen = await readAnswers(discord, open);
    const looked = await accepted.look();
    open = open.filter((id) => {
      const verdict = seen.get(id)?.verdict;
      if (verdict === 'whole' || verdict === 'note') return false;
      if (verdict !== 'halfway' && withdrawn(id)) return false;
      return verdict !== 'none' || accepted.ids.has(id) || elapsedMs() < mayBeStoredMs;
    });
    if (open.length === 0 && looked && accepted.stored.length === 0) break;
    await clock.sleep(lookEveryMs, { signal });
  }
  const settledMs = Math.min(elapsedMs(), settleBoundMs);
  await clock.sleep(lingerMs, { signal });
  await accepted.look();
  return {
    settledMs,
    answers: await readAnswers(
      discord,
      messages.map(({ id }) => id),
    ),
  };
}
