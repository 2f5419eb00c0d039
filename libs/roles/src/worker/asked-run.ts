import {
  detachBody,
  type Job,
  jobContract,
  type RunRequest,
  runRequestContract,
} from '@starling/contracts';
import { readable } from '../delivery/readable.ts';

/** A run request, and with it the job when that is ephemeral. */
export interface AskedRun {
  readonly request: RunRequest;
  /** Absent when it lies in `JOBS`. */
  readonly job: Job | undefined;
}

/** Reads a message of a balancer; undefined when it does not read, head or body. */
export function askedRunIn(payload: Uint8Array): AskedRun | undefined {
  const { body, head } = detachBody(payload);
  const request = readable(runRequestContract, head);
  if (request?.work.kind !== 'inline') return request && { request, job: undefined };
  const job = body && readable(jobContract, body);
  return job?.jobId === request.jobId ? { request, job } : undefined;
}
