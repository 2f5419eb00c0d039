/** `starling jobs`: what each action does, and what it says. */
import { systemClock } from '@starling/clock';
import { type JobId, jobId as jobIdSchema } from '@starling/contracts';
import {
  cancelJob,
  findJobs,
  type JobDetails,
  listDeadLetters,
  listJobs,
  namedBy,
  namesJob,
  releaseJob,
  stateOf,
} from '@starling/jobs';
import type { FleetStores } from '../fleet/fleet-stores.ts';
import { jobLine, stateText } from '../screen/job-lines.ts';
import { type Outcome, unknown } from './outcome.ts';

const clock = systemClock;

/** The newest so many. */
export async function listAction(stores: FleetStores, most: number): Promise<Outcome> {
  const { jobs, total } = await listJobs(stores, { most });
  const nowMs = clock.nowMs();
  const left = total - jobs.length;
  return {
    ok: true,
    lines: [
      ...(left > 0 ? [`(${left} older ones: --most ${total})`] : []),
      ...jobs.map((job) => jobLine(job, nowMs)),
      ...(total === 0 ? ['no job is stored: all that was accepted is delivered'] : []),
    ],
    json: { total, jobs },
  };
}

/** Everything that is known of the jobs that have the name. */
export async function showAction(stores: FleetStores, word: string): Promise<Outcome> {
  const found = await findJobs(stores, word);
  if (found.length === 0) return await unknownJob(stores, word);
  const nowMs = clock.nowMs();
  return {
    ok: true,
    lines: found.flatMap((details) => [headline(details, nowMs), JSON.stringify(details, null, 2)]),
    json: { jobs: found },
  };
}

/** Takes the job from its worker. */
export async function releaseAction(stores: FleetStores, word: string): Promise<Outcome> {
  const named = await oneJob(stores, word);
  if ('ok' in named) return named;
  const { jobId } = named;
  const { ledger } = stores;
  const release = await releaseJob({ ledger, messaging: stores.bus.messaging }, jobId);
  switch (release.kind) {
    case 'released': {
      const { attempt, from: worker } = release;
      const text = `${jobId} is no longer ${worker}’s (attempt ${attempt}): what it still ends it with is refused, and attempt ${attempt + 1} starts within some seconds`;
      return { ok: true, lines: [text], json: { jobId, worker, attempt } };
    }
    case 'waiting':
      return refused(jobId, 'nobody runs it: it waits for a worker');
    case 'over':
      return refused(jobId, stateText(stateOf(release.standing), clock.nowMs()));
  }
}

/** Ends the job; its user reads that it was stopped. */
export async function cancelAction(stores: FleetStores, word: string): Promise<Outcome> {
  const named = await oneJob(stores, word);
  if ('ok' in named) return named;
  const { jobId } = named;
  const { ledger, store } = stores;
  const cancelled = await cancelJob(
    { ledger, store, clock, messaging: stores.bus.messaging },
    jobId,
  );
  switch (cancelled.kind) {
    case 'cancelled': {
      const { by, end } = cancelled;
      const who = by === 'operator' ? 'no process of the fleet did in time, so here' : 'the fleet';
      const text = `${jobId} is cancelled (by ${end.workerId ?? who}); its user is told that it was stopped`;
      return { ok: true, lines: [text], json: { jobId, by: end.workerId ?? by } };
    }
    case 'over':
      return refused(jobId, stateText(stateOf(cancelled.standing), clock.nowMs()));
    case 'unknown':
      return refused(jobId, 'it was delivered just now');
    case 'unreadable':
      return refused(jobId, 'its body does not decode, so nobody can tell whom to answer');
  }
}

/** The one job that has the name, or what to say. */
async function oneJob(
  stores: FleetStores,
  word: string,
): Promise<{ readonly jobId: JobId } | Outcome> {
  const ids = (await namedBy(stores, word)).map(({ subject }) => subject.split('.').at(-1) ?? '');
  const exact = ids.includes(word) ? [word] : ids;
  const [first, ...others] = exact;
  if (first === undefined) return await unknownJob(stores, word);
  if (others.length > 0) {
    const error = `several jobs have the name ${word}: give one of ${exact.join(', ')}`;
    return { ok: false, lines: [error], json: { error, names: exact } };
  }
  const parsed = jobIdSchema.safeParse(first);
  return parsed.success ? { jobId: parsed.data } : refused(first, 'that is no id of a job');
}

async function unknownJob(stores: FleetStores, word: string): Promise<Outcome> {
  const stored = await stores.store.list();
  const letters = await listDeadLetters(stores.letters);
  const dead = letters.find(({ headers, name }) => namesJob(word, { headers, jobId: name }));
  return unknown(word, {
    what: 'stored job',
    names: stored.map(({ subject }) => subject.split('.').at(-1) ?? subject),
    ...(dead && { hint: `A dead letter has it: starling deadletters replay ${dead.name}` }),
  });
}

function refused(jobId: string, why: string): Outcome {
  const error = `${jobId}: ${why}`;
  return { ok: false, lines: [error], json: { jobId, error } };
}

function headline(details: JobDetails, nowMs: number): string {
  if (details.kind === 'stored') return jobLine(details.record, nowMs);
  const { jobId, state } = details;
  return `${jobId} · ${stateText(state, nowMs)} · not stored any more: delivered, or too old`;
}
