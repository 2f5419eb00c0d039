import { BusError, type Messaging } from '@starling/bus';
import {
  attachBody,
  decode,
  encode,
  type IngressId,
  jobContract,
  type SubmitReply,
  subjects,
  submitContract,
  submitReplyContract,
} from '@starling/contracts';
import { counter, injectHeaders } from '@starling/telemetry';
import type { Home } from './balancer-roster.ts';
import { jobOfRequest } from './job-of-request.ts';
import type { OpenJob } from './open-job.ts';

/**
 * What became of a submission. `absent`: nobody listens there. `unknown`: no reply came, and the job
 * may be queued or not. `unsent`: the bus is away.
 */
export type SubmitOutcome = SubmitReply | { readonly kind: 'absent' | 'unknown' | 'unsent' };

const quarantined = counter('starling.bus.quarantined');

/** Asks a balancer to queue the job as it stands now. */
export async function submitJob(
  open: OpenJob,
  to: {
    readonly messaging: Messaging;
    readonly ingressId: IngressId;
    readonly home: Home;
    readonly timeoutMs: number;
  },
): Promise<SubmitOutcome> {
  const { messaging, home, timeoutMs } = to;
  const bytes = submitBytes(open, to.ingressId);
  const headers = injectHeaders({}, open.ask.context);
  try {
    const reply = await messaging.request(subjects.submit(home.balancerId), bytes, {
      timeoutMs,
      headers,
    });
    const decoded = decode(submitReplyContract, reply.payload);
    if (decoded.ok) return decoded.value.reply;
    quarantined.add(1, { contract: submitReplyContract.name, fault: decoded.fault.kind });
    return { kind: 'unknown' };
  } catch (error) {
    const code = error instanceof BusError ? error.code : undefined;
    if (code === 'no_responders') return { kind: 'absent' };
    return { kind: code === 'timeout' ? 'unknown' : 'unsent' };
  }
}

function submitBytes(open: OpenJob, ingressId: IngressId): Uint8Array {
  const { acceptedAtMs, ask, deadlineAtMs, jobId } = open;
  const { caller, request, requestId } = ask;
  const origin = { kind: 'ingress', ingressId, requestId, caller, stream: request.stream } as const;
  const job = jobOfRequest(request, { jobId, origin, acceptedAtMs, deadlineAtMs });
  const { callKey, lane, model } = job;
  const head = encode(submitContract, {
    ...{ jobId, lane, origin, acceptedAtMs, deadlineAtMs },
    ...(model !== undefined && { model }),
    ...(callKey !== undefined && { callKey }),
    tokenEstimate: request.tokenEstimate,
  });
  return attachBody(head, encode(jobContract, job));
}
