import type { Clock } from '@starling/clock';
import { type DecodeFault, jobContract } from '@starling/contracts';
import { deadLetter } from '@starling/jobs';
import { counter, type RoleTelemetry } from '@starling/telemetry';
import type { Jobs } from './open-jobs.ts';

const quarantined = counter('starling.bus.quarantined');

/**
 * Takes a job that cannot be read out of `JOBS`, where it would be looked at for ever, once it is kept
 * as a dead letter. Never rejects.
 * @returns false when it could not be kept or taken out, and is to be buried by another try
 */
export async function buryJob(
  parts: {
    readonly jobs: Pick<Jobs, 'store' | 'letters'>;
    readonly clock: Clock;
    readonly telemetry: RoleTelemetry;
  },
  sequence: number,
  fault: DecodeFault,
): Promise<boolean> {
  const { clock, jobs, telemetry } = parts;
  quarantined.add(1, { contract: jobContract.name, fault: fault.kind });
  const log = telemetry.log('intake');
  const reason = unreadable(fault);
  const { problem } = reason;
  try {
    const message = await jobs.store.read(sequence);
    if (!message) return true;
    await deadLetter(jobs.letters, { message, reason, attempts: 0, atMs: clock.nowMs() });
    const context = telemetry.contextFrom(message.headers);
    telemetry.run(
      () => log.error('job.quarantined', { subject: message.subject, problem }),
      context,
    );
    await jobs.store.remove(sequence);
    return true;
  } catch (error) {
    log.warn('job.unburied', { sequence, problem, error });
    return false;
  }
}

/** Why a job that does not decode was given up. */
export function unreadable(fault: DecodeFault) {
  const problem = fault.kind === 'invalid' ? fault.problem : fault.kind.replaceAll('_', ' ');
  return { kind: 'unreadable', problem } as const;
}
