import { type JobId, jobId as jobIdSchema } from '@starling/contracts';

const maxIdLength = 64;

/**
 * The id under which a job that ended for good is run once more, `<id>-r1`, then `<id>-r2`: always the
 * same one, so that an operator who replays it and a caller who asks again start one run between them.
 * What was asked stays readable in it.
 */
export function nextRunId(ended: JobId): JobId {
  const [, base = ended, count = '0'] = /^(.*?)(?:-r(\d{1,6}))?$/.exec(ended) ?? [];
  const suffix = `-r${Number(count) + 1}`;
  return jobIdSchema.parse(`${base.slice(0, maxIdLength - suffix.length)}${suffix}`);
}
