import type { LoadReport } from '@starling/contracts';

/**
 * A worker whose last report is this old is not heard any more: a report of an earlier epoch is then no
 * late one, but that of a process whose clock was set back (or the known one was never a worker's).
 */
const silentMs = 3_000;

/** Whether a report is newer than the worker's last one: a higher epoch, or a higher sequence in the same. */
export function isNews(
  report: Pick<LoadReport, 'epoch' | 'sequence'>,
  last: { readonly report: Pick<LoadReport, 'epoch' | 'sequence'>; readonly heardAtMs: number },
  nowMs: number,
): boolean {
  const { epoch, sequence } = last.report;
  if (report.epoch === epoch) return report.sequence > sequence;
  return report.epoch > epoch || nowMs - last.heardAtMs >= silentMs;
}
