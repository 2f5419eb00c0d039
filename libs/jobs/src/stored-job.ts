import { everyUser, type QueuedJob } from '@starling/balance';
import type { StoredMessage } from '@starling/bus';
import {
  callKey,
  type Headers,
  headerNames,
  type Job,
  type JobOrigin,
  jobContract,
  jobId,
  jobOrigin,
  lane,
  type OwnerId,
  ownerId,
  ownerOfOrigin,
  subjects,
} from '@starling/contracts';
import { z } from 'zod';

/** A job in `JOBS` as its headers tell it: all that a balancer, or a new owner, needs before the body. */
export interface StoredJob {
  readonly header: QueuedJob;
  /** Where it lies in `JOBS`. */
  readonly sequence: number;
  /** Who accepted it, to be told when it ended. */
  readonly owner: OwnerId;
  readonly guildId?: string;
  /** The name of the API key behind it; absent of a question in Discord. */
  readonly caller?: string;
  /** The question in Discord; absent when an older version accepted it. */
  readonly messageId?: string;
  /**
   * Its end is collected from the ledger by whoever asks with its key, and nobody has to deliver it: the
   * job may be removed as soon as the end stands.
   */
  readonly collected: boolean;
}

/** `newer`: left for a newer process. `invalid`: no process can place it; a balancer buries it. */
export type StoredJobRead =
  | { readonly kind: 'job'; readonly job: StoredJob }
  | { readonly kind: 'newer' }
  | { readonly kind: 'invalid'; readonly problem: string };

const name = z.string().min(1).max(64);
/** The longest id of a request. */
const maxRequestId = 48;
const headerSchema = z.object({
  [headerNames.version]: z.coerce.number().int().positive().default(1),
  [headerNames.lane]: lane,
  [headerNames.guild]: name.optional(),
  [headerNames.user]: name,
  [headerNames.message]: name.optional(),
  [headerNames.caller]: name.optional(),
  [headerNames.owner]: ownerId,
  [headerNames.conversation]: name.optional(),
  [headerNames.model]: z.string().min(1).max(200).optional(),
  // Without a readable one it is answered by a call of its own.
  [headerNames.callKey]: callKey.optional().catch(undefined),
  [headerNames.deadline]: z.coerce.number().positive(),
  [headerNames.tokenEstimate]: z.coerce.number().int().positive(),
});

/** Where a job lies in `JOBS`. */
export function subjectOfJob({
  jobId,
  lane,
  origin,
}: Pick<Job, 'jobId' | 'lane' | 'origin'>): string {
  return origin.kind === 'ingress' ? subjects.keyedJob(jobId) : subjects.job(lane, jobId);
}

/** How callers of an ingress share the fleet, durable or not: as guilds do, first come first served within. */
export function callerFlow(caller: string): Pick<QueuedJob, 'guildKey' | 'userKey'> {
  return { guildKey: `caller:${caller}`, userKey: everyUser };
}

/**
 * The headers of a job in `JOBS`.
 * @param options.tokenEstimate LLM tokens, prompt and completion together: what fairness counts in
 * @param options.headers trace context and correlation id
 */
export function headersOfJob(
  job: Job,
  options: { readonly tokenEstimate: number; readonly headers: Headers },
): Headers {
  const { callKey, deadlineAtMs, model, origin } = job;
  return {
    ...options.headers,
    [headerNames.version]: String(jobContract.version),
    [headerNames.lane]: job.lane,
    [headerNames.owner]: ownerOfOrigin(origin),
    ...(origin.kind === 'discord'
      ? {
          ...(origin.guildId && { [headerNames.guild]: origin.guildId }),
          [headerNames.user]: origin.userId,
          [headerNames.conversation]: origin.channelId,
          [headerNames.message]: origin.messageId,
        }
      : { [headerNames.user]: job.jobId, [headerNames.caller]: origin.caller }),
    ...(model !== undefined && { [headerNames.model]: model }),
    ...(callKey !== undefined && { [headerNames.callKey]: callKey }),
    [headerNames.deadline]: String(deadlineAtMs),
    [headerNames.tokenEstimate]: String(options.tokenEstimate),
  };
}

/** Reads what {@link headersOfJob} wrote. Never throws. */
export function readStoredJob(message: StoredMessage): StoredJobRead {
  const { headers, sequence, storedAtMs, subject } = message;
  if (Number(headers[headerNames.version] ?? 1) > jobContract.version) return { kind: 'newer' };
  const id = jobId.safeParse(subject.split('.').at(-1));
  const parsed = headerSchema.safeParse(headers);
  if (!id.success) return { kind: 'invalid', problem: `the subject ${subject} ends in no job id` };
  if (!parsed.success) return { kind: 'invalid', problem: z.prettifyError(parsed.error) };
  const read = parsed.data;
  const guildId = read[headerNames.guild];
  const caller = read[headerNames.caller];
  const user = read[headerNames.user];
  const flow =
    caller === undefined ? { guildKey: guildId ?? user, userKey: user } : callerFlow(caller);
  const model = read[headerNames.model];
  const conversationKey = read[headerNames.conversation];
  const messageId = read[headerNames.message];
  const key = read[headerNames.callKey];
  return {
    kind: 'job',
    job: {
      sequence,
      owner: read[headerNames.owner],
      ...(guildId !== undefined && { guildId }),
      ...(caller !== undefined && { caller }),
      ...(messageId !== undefined && { messageId }),
      collected: caller !== undefined,
      header: {
        jobId: id.data,
        lane: read[headerNames.lane],
        ...flow,
        tokenEstimate: read[headerNames.tokenEstimate],
        ...(model !== undefined && { model }),
        ...(conversationKey !== undefined && { conversationKey }),
        ...(key !== undefined && { callKey: key }),
        acceptedAtMs: storedAtMs,
        deadlineAtMs: read[headerNames.deadline],
      },
    },
  };
}

/**
 * Where the answer of a stored job goes, without its body; undefined when its headers do not tell. What
 * only a reader of the whole answer needs (the fields of a request over HTTP) is not in it.
 */
export function originOfStored(job: StoredJob): JobOrigin | undefined {
  const { caller, guildId, header, messageId, owner } = job;
  const { conversationKey: channelId, jobId: id, userKey: userId } = header;
  const parsed = jobOrigin.safeParse(
    caller === undefined
      ? { kind: 'discord', clusterId: owner, guildId, channelId, messageId, userId }
      : {
          ...{ kind: 'ingress', ingressId: owner, caller, stream: false },
          requestId: id.slice(0, maxRequestId),
        },
  );
  return parsed.success ? parsed.data : undefined;
}
