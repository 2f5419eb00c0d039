import type { JobRecord, JobState } from '@starling/jobs';
import { durationText } from './time-text.ts';

/** A job in one line. */
export function jobLine(job: JobRecord, nowMs: number): string {
  const { acceptedAtMs, correlationId, deadlineAtMs, guildKey, jobId, lane, state, userKey } = job;
  return [
    jobId,
    stateText(state, nowMs),
    ...(lane ? [lane] : []),
    ...(guildKey ? [`guild ${guildKey}`] : []),
    ...(userKey ? [`user ${userKey}`] : []),
    `accepted ${durationText(nowMs - acceptedAtMs)} ago`,
    ...(deadlineAtMs === undefined ? [] : [deadlineText(deadlineAtMs, nowMs)]),
    ...(correlationId ? [`id ${correlationId}`] : []),
  ].join(' · ');
}

/** Where a job stands, in words. */
export function stateText(state: JobState, nowMs: number): string {
  switch (state.kind) {
    case 'waiting':
      return state.attempts === 0 ? 'waiting' : `waiting for attempt ${state.attempts + 1}`;
    case 'running': {
      const { attempt, sinceMs, workerId } = state;
      return `running at ${workerId}, attempt ${attempt}, for ${durationText(nowMs - sinceMs)}`;
    }
    case 'ended': {
      const { atMs, code, outcome } = state;
      const why = code && outcome === 'failed' ? ` (${code})` : '';
      return `${outcome}${why} ${durationText(nowMs - atMs)} ago`;
    }
    case 'newer':
      return 'of a newer version than this program';
    case 'unreadable':
      return `unreadable: ${state.problem.replaceAll(/\s+/g, ' ')}`;
  }
}

function deadlineText(deadlineAtMs: number, nowMs: number): string {
  const leftMs = deadlineAtMs - nowMs;
  return leftMs >= 0
    ? `deadline in ${durationText(leftMs)}`
    : `deadline ${durationText(-leftMs)} ago`;
}
