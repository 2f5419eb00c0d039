/** One run request: the `dispatch` phase. */
import type { CoreEffect, RunAnswer } from '@starling/balance';
import { BusError, type Messaging } from '@starling/bus';
import type { Clock } from '@starling/clock';
import {
  attachBody,
  type BalancerId,
  decode,
  encode,
  runReplyContract,
  runRequestContract,
  subjects,
  tookContract,
} from '@starling/contracts';
import {
  attributeNames,
  counter,
  injectHeaders,
  type RoleTelemetry,
  SpanKind,
} from '@starling/telemetry';
import { type QueuedWork, workOf } from './queued-work.ts';

export interface AskParts {
  readonly messaging: Messaging;
  readonly clock: Clock;
  readonly balancerId: BalancerId;
  readonly telemetry: RoleTelemetry;
  readonly runTimeoutMs: number;
}

/** One kind of what the core asks for. */
export type EffectOf<Kind extends CoreEffect['kind']> = Extract<CoreEffect, { kind: Kind }>;

type Run = EffectOf<'run'>;

const replies = counter('starling.dispatch.replies');

/** Asks a worker to run a job, and tells the peers of a stored one; never rejects. */
export async function askWorker(parts: AskParts, work: QueuedWork, run: Run): Promise<RunAnswer> {
  const { clock, telemetry } = parts;
  const dequeuedAtMs = clock.nowMs();
  const { jobId, lane, context } = work;
  const waited = {
    [attributeNames.jobId]: jobId,
    [attributeNames.attempt]: run.attempt,
    [attributeNames.lane]: lane,
  };
  const timeline = telemetry.timeline(clock);
  timeline.record('queue', {
    ...{ startMs: Math.min(work.waitingSinceMs, dequeuedAtMs), endMs: dequeuedAtMs },
    ...{ parent: context, kind: SpanKind.CONSUMER, attributes: waited },
  });
  const attributes = {
    ...waited,
    [attributeNames.balancerId]: parts.balancerId,
    [attributeNames.workerId]: run.workerId,
    [attributeNames.choice]: JSON.stringify(run.explanation),
  };
  if (work.body.kind === 'stored') tellPeers(parts, run);
  return await timeline.run(
    'dispatch',
    async (span) => {
      const answer = await request(parts, work, { ...run, dequeuedAtMs });
      span.setAttribute(attributeNames.dispatchReply, answer);
      replies.add(1, { reply: answer });
      return answer;
    },
    { parent: context, kind: SpanKind.PRODUCER, attributes },
  );
}

function tellPeers({ balancerId, messaging }: AskParts, { follows, jobId, workerId }: Run): void {
  try {
    const took = { balancerId, jobId, workerId, ...(follows && { follows }) };
    messaging.publish(subjects.took, encode(tookContract, took));
  } catch {
    // A hint: without it a peer asks for the same job, and the claim decides.
  }
}

async function request(
  { balancerId, messaging, runTimeoutMs, telemetry }: AskParts,
  work: QueuedWork,
  run: Run & { readonly dequeuedAtMs: number },
): Promise<RunAnswer> {
  const { attempt, callKey, dequeuedAtMs, follows, jobId, previousRevision, workerId } = run;
  try {
    const head = encode(runRequestContract, {
      ...{ jobId, attempt, dequeuedAtMs, dispatchedBy: balancerId },
      ...(callKey !== undefined && { callKey }),
      ...(follows && { follows }),
      work: workOf(work, previousRevision),
    });
    const bytes = work.body.kind === 'inline' ? attachBody(head, work.body.job) : head;
    const reply = await messaging.request(subjects.run(workerId), bytes, {
      timeoutMs: runTimeoutMs,
      headers: injectHeaders(),
    });
    const decoded = decode(runReplyContract, reply.payload);
    if (!decoded.ok) return 'silent';
    if (decoded.value.callGone) return 'call_gone';
    // A worker that cannot read us is as good as none, until it is replaced.
    return decoded.value.kind === 'invalid' ? 'absent' : decoded.value.kind;
  } catch (error) {
    if (error instanceof BusError && error.code === 'no_responders') return 'absent';
    const log = telemetry.log('dispatch');
    log.warn('run_request.unanswered', { jobId, workerId, error });
    return 'silent';
  }
}
