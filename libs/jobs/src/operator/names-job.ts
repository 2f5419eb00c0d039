import type { Headers } from '@starling/contracts';
import { correlationOf, traceIdOf } from '../correlation-of.ts';

/**
 * Whether a word of an operator names this job: its id; the id of the message that asked, which is the
 * job's own and stands before the `-r1` of a replay; its correlation id; its whole trace id (features A1).
 */
export function namesJob(
  word: string,
  job: { readonly jobId: string; readonly headers: Headers },
): boolean {
  const { headers, jobId } = job;
  return (
    word === jobId ||
    word === jobId.replace(/-r\d+$/, '') ||
    word === correlationOf(headers) ||
    word === traceIdOf(headers)
  );
}
