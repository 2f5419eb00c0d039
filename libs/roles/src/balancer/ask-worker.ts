/** One run request: the `dispatch` phase. */

import type { Explanation } from '@starling/balance';
import { type Bus, BusError } from '@starling/bus';
import type { Clock } from '@starling/clock';
import {
  type BalancerId,
  decode,
  encode,
  type RunReply,
  runReplyContract,
  runRequestContract,
  subjects,
  type WorkerId,
} from '@starling/contracts';
import {
  attributeNames,
  counter,
  injectHeaders,
  type RoleTelemetry,
  SpanKind,
} from '@starling/telemetry';
import type { HeldJob } from './held-job.ts';

/**
 * What a worker made of the request. `absent`: nobody listens there. `unknown`: no reply came; it may
 * run the job or not. `unsent`: the bus is away.
 */
export type AskOutcome = RunReply['kind'] | 'absent' | 'unknown' | 'unsent';

export interface AskParts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly balancerId: BalancerId;
  readonly telemetry: RoleTelemetry;
  readonly runTimeoutMs: number;
}

const replies = counter('starling.dispatch.replies');

/** Asks a worker to run a job; never rejects. */
export async function askWorker(
  parts: AskParts,
  held: HeldJob,
  choice: { readonly workerId: WorkerId; readonly explanation: Explanation | undefined },
): Promise<AskOutcome> {
  const { clock, telemetry } = parts;
  const { workerId, explanation } = choice;
  const dequeuedAtMs = clock.nowMs();
  const attributes = {
    [attributeNames.jobId]: held.job.jobId,
    [attributeNames.attempt]: held.attempt,
    [attributeNames.lane]: held.job.lane,
    [attributeNames.balancerId]: parts.balancerId,
    [attributeNames.workerId]: workerId,
    ...(explanation && { [attributeNames.choice]: JSON.stringify(explanation) }),
  };
  return await telemetry.timeline(clock).run(
    'dispatch',
    async (span) => {
      const outcome = await request(parts, held, { workerId, dequeuedAtMs });
      span.setAttribute(attributeNames.dispatchReply, outcome);
      replies.add(1, { reply: outcome });
      return outcome;
    },
    { parent: held.context, kind: SpanKind.PRODUCER, attributes },
  );
}

async function request(
  { bus, balancerId, runTimeoutMs, telemetry }: AskParts,
  { job, attempt, kept }: HeldJob,
  to: { readonly workerId: WorkerId; readonly dequeuedAtMs: number },
): Promise<AskOutcome> {
  try {
    const reply = await bus.messaging.request(
      subjects.run(to.workerId),
      encode(runRequestContract, {
        job,
        attempt,
        receipt: kept.receipt,
        dequeuedAtMs: to.dequeuedAtMs,
        dispatchedBy: balancerId,
      }),
      { timeoutMs: runTimeoutMs, headers: injectHeaders() },
    );
    const decoded = decode(runReplyContract, reply.payload);
    return decoded.ok ? decoded.value.kind : 'unknown';
  } catch (error) {
    const code = error instanceof BusError ? error.code : undefined;
    if (code === 'no_responders') return 'absent';
    telemetry.log('dispatch').warn('run_request.unanswered', { jobId: job.jobId, ...to, error });
    return code === 'timeout' ? 'unknown' : 'unsent';
  }
}
