import type { AcceptedJobs } from './accepted-jobs.ts';
import type { SeenAnswer } from './answers.ts';
import type { DiscordRecord } from './discord-side.ts';
import type { Interruption } from './interruptions.ts';
import type { JudgedMessage } from './judge.ts';
import type { SaidMessage } from './message-load.ts';
import type { ModelCall } from './provider-side.ts';

/** Puts together what NATS, Discord and the provider saw of each message. */
export function judgedMessages(
  messages: readonly SaidMessage[],
  seen: {
    readonly accepted: Pick<AcceptedJobs, 'ids'>;
    readonly record: Pick<DiscordRecord, 'owed'>;
    readonly answers: ReadonlyMap<string, SeenAnswer>;
    /** By the number of the message. */
    readonly calls: ReadonlyMap<number, readonly ModelCall[]>;
    /** The messages that were taken back. */
    readonly done: ReadonlyMap<string, Interruption>;
    /** Wall-clock milliseconds. */
    readonly loadStartMs: number;
  },
): readonly JudgedMessage[] {
  const owed = new Set(seen.record.owed.map(({ id }) => id));
  return messages.map((message) => {
    const { dueMs, id, n, saidMs } = message;
    const answer = seen.answers.get(id);
    const firstTextMs = answer?.firstTextMs ?? null;
    const lastChangeMs = answer?.lastChangeMs ?? null;
    const interruption = seen.done.get(id);
    return {
      ...message,
      stored: seen.accepted.ids.has(id),
      owed: owed.has(id),
      verdict: answer?.verdict ?? 'none',
      calls: (seen.calls.get(n) ?? []).map(({ endedAtMs, startedAtMs }) => ({
        startMs: startedAtMs - seen.loadStartMs,
        ...(endedAtMs !== undefined && { endMs: endedAtMs - seen.loadStartMs }),
      })),
      ...(interruption && { interruption }),
      ...(firstTextMs !== null && { firstTextMs: saidMs - dueMs + firstTextMs }),
      ...(lastChangeMs !== null && { endedMs: saidMs + lastChangeMs }),
    };
  });
}
