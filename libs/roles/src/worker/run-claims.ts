/** A worker's side of the ledger: the claim before the run, the end over the claim. */
import type { JobFinish, WorkerEffect, WorkerEvent } from '@starling/balance';
import type { Messaging } from '@starling/bus';
import type { Clock, Random } from '@starling/clock';
import {
  encode,
  type LedgerEnd,
  type Result,
  releasedContract,
  subjects,
  type WorkerId,
} from '@starling/contracts';
import type { RoleTelemetry } from '@starling/telemetry';
import type { Jobs } from '../delivery/open-jobs.ts';
import { type DeliveryConfig, sendResult } from '../delivery/send-result.ts';
import { withSendable } from '../delivery/sendable-result.ts';
import { fetchBody } from './fetch-body.ts';
import type { WorkerRun } from './worker-run.ts';

type EffectOf<Kind extends WorkerEffect['kind']> = Extract<WorkerEffect, { kind: Kind }>;
type AnswerTo<Kind extends WorkerEvent['kind']> = Extract<
  WorkerEvent,
  { kind: Kind; answer: unknown }
>['answer'];

export interface RunClaimsParts {
  readonly jobs: Pick<Jobs, 'ledger' | 'store'>;
  readonly messaging: Messaging;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: RoleTelemetry;
  readonly workerId: WorkerId;
  readonly config: DeliveryConfig;
}

/** Nobody else has an ephemeral job, which stands in no ledger. */
const inlineRevision = 0;

/** Takes the job; never rejects. */
export async function claimRun(
  { clock, jobs, telemetry, workerId }: RunClaimsParts,
  run: WorkerRun,
  { attempt, jobId, previousRevision }: EffectOf<'claim'>,
): Promise<AnswerTo<'claim_answered'>> {
  const { work } = run.request;
  if (work.kind === 'inline') return { kind: 'won', revision: inlineRevision };
  try {
    // Together: the few claims that are lost cost a look, every other job starts a round trip earlier.
    const { sequence } = work;
    run.body = fetchBody({ clock, store: jobs.store }, { jobId, sequence }, run.unwanted.signal);
    const claim = await jobs.ledger.claim(jobId, { workerId, attempt, previousRevision });
    if (claim.kind === 'won') return claim;
    run.unwanted.abort();
    return { kind: 'lost' };
  } catch (error) {
    run.unwanted.abort();
    const log = telemetry.log('worker');
    telemetry.run(() => log.warn('claim.unanswered', { jobId, error }), run.context);
    return { kind: 'unknown' };
  }
}

/** Brings what the run came to where it belongs, and tells the reader of its frames; never rejects. */
export async function endRun(
  parts: RunClaimsParts,
  run: WorkerRun,
  { attempt, finish, jobId, revision }: EffectOf<'write_end'>,
): Promise<AnswerTo<'end_answered'>> {
  const { clock, jobs, telemetry, workerId } = parts;
  const { context, request, result } = run;
  const { work } = request;
  if (!result) return await letGo(parts, run, revision);
  if (work.kind === 'inline') {
    await sendResult(parts, { result, context });
    return 'written';
  }
  try {
    let stands = result;
    const written = await withSendable(result, (sendable) => {
      stands = sendable;
      const usage = usageOf(finish, sendable.outcome.kind);
      const by = { attempt, workerId, atMs: clock.nowMs() };
      return jobs.ledger.end(jobId, { kind: 'end', ...by, result: sendable, ...usage }, revision);
    });
    if (written.kind === 'fenced') return 'refused';
    const { revision: endRevision } = written;
    run.frames?.finish({ revision: endRevision, stored: work.sequence, ...told(stands) });
    // The end of such a job is collected from the ledger, whether its ingress lives or not: nobody needs
    // it in `JOBS`. A balancer removes what is left there.
    if (result.origin.kind === 'ingress') jobs.store.discard(work.sequence);
    return 'written';
  } catch (error) {
    const log = telemetry.log('worker');
    telemetry.run(() => log.warn('end.unwritten', { jobId, error }), context);
    return 'unknown';
  }
}

/** Results up to this many characters go with the last frame; a frame has 128 KiB, were all escaped. */
const maxToldLength = 16 * 1024;

/** An ingress is told what it would read next; a cluster reads more than the result. */
function told(result: Result): { readonly result?: Result } {
  const { origin, outcome } = result;
  const text = outcome.kind === 'done' ? outcome.text : outcome.partialText;
  return origin.kind === 'ingress' && text.length <= maxToldLength ? { result } : {};
}

/** Says so at once: the next attempt need not wait until our silence is noticed. */
async function letGo(
  { jobs, messaging, telemetry }: RunClaimsParts,
  { context, request }: WorkerRun,
  revision: number,
): Promise<'refused'> {
  const { jobId, work } = request;
  try {
    if (work.kind === 'inline') return 'refused';
    const standing = await jobs.ledger.read(jobId);
    if (standing.kind !== 'run' || standing.revision !== revision) return 'refused';
    const after = await jobs.ledger.release(jobId, 'worker');
    if (after.kind === 'released') {
      const word = encode(releasedContract, { jobId, revision: after.revision });
      messaging.publish(subjects.released(jobId), word);
    }
  } catch (error) {
    // Then it takes its three seconds.
    const log = telemetry.log('worker');
    telemetry.run(() => log.debug('claim.unreleased', { jobId, error }), context);
  }
  return 'refused';
}

/** Of a job that was done the result tells; of another one what is known is what was streamed. */
function usageOf(finish: JobFinish, outcome: 'done' | 'failed'): Pick<LedgerEnd, 'usage'> {
  if (outcome === 'done') return {};
  return { usage: { promptTokens: 0, completionTokens: finish.tokens, estimated: true } };
}
