import {
  balancerId,
  channelId,
  clusterId,
  type Job,
  type JobId,
  jobId,
  type LedgerEnd,
  messageId,
  userId,
  type WorkerId,
  workerId,
} from '@starling/contracts';
import { failedEnd } from '../src/index.ts';

/** The nth job. */
export const jobOf = (n: number): JobId => jobId.parse(`14000000000000${1_000 + n}`);
/** The nth worker. */
export const workerOf = (n: number): WorkerId => workerId.parse(`w${n}`);
/** A message in Discord. */
export const messageOf = (n: number) =>
  messageId.parse(String(1_500_000_000_000_000_000n + BigInt(n)));

/** A whole job of that id. */
export function sampleJob(id: JobId, difference: Partial<Job> = {}): Job {
  return {
    jobId: id,
    lane: 'interactive',
    origin: {
      kind: 'discord',
      clusterId: clusterId.parse('c0'),
      channelId: channelId.parse('200000000000000000'),
      messageId: messageId.parse('1400000000000000001'),
      userId: userId.parse('400000000000000000'),
    },
    messages: [{ role: 'user', content: 'hello' }],
    maxCompletionTokens: 100,
    acceptedAtMs: 1_000,
    deadlineAtMs: 61_000,
    ...difference,
  };
}

/** The end that a worker writes: an answer with its name in it. */
export function doneBy(id: JobId, worker: WorkerId, attempt: number): LedgerEnd {
  const { result } = failed(id, attempt);
  const usage = { promptTokens: 1, completionTokens: 2, estimated: false };
  return {
    kind: 'end',
    attempt,
    workerId: worker,
    atMs: 2_000,
    result: {
      ...result,
      servedBy: worker,
      outcome: {
        kind: 'done',
        text: `by ${worker} in attempt ${attempt}`,
        model: 'm',
        finishReason: 'stop',
        usage,
        frames: 1,
      },
    },
  };
}

/** The end that a balancer writes. */
export function failed(id: JobId, attempt: number, atMs = 2_000): LedgerEnd {
  const endedBy = balancerId.parse('b0');
  return failedEnd(sampleJob(id), { code: 'deadline_exceeded', attempt, endedBy, atMs });
}
