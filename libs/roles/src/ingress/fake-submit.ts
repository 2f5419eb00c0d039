import type { BusMessage } from '@starling/bus';
import {
  decode,
  detachBody,
  type IngressOrigin,
  type Job,
  jobContract,
  type Submit,
  submitContract,
} from '@starling/contracts';

/** What an ingress handed in, with the job that a balancer would not look at. */
export interface FakeSubmit extends Submit {
  readonly job: Job & { readonly origin: IngressOrigin };
}

/** @throws {Error} when head or body do not decode, or do not tell the same */
export function submitIn({ payload }: BusMessage): FakeSubmit {
  const { body, head } = detachBody(payload);
  const submit = decode(submitContract, head);
  const job = decode(jobContract, body ?? new Uint8Array());
  if (!submit.ok || !job.ok) throw new Error('a submission that does not decode');
  const { jobId, origin } = submit.value;
  if (job.value.jobId !== jobId) throw new Error(`${job.value.jobId} was submitted as ${jobId}`);
  return { ...submit.value, job: { ...job.value, origin } };
}
