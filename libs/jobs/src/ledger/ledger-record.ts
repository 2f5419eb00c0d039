/** The ledger's values as bytes, and as the rules of the balance library see them. */
import type { LedgerEntry } from '@starling/balance';
import {
  decode,
  encode,
  type JobId,
  type LedgerEnd,
  type LedgerReleased,
  type LedgerRun,
  ledgerEntryContract,
} from '@starling/contracts';
import { counter, log } from '@starling/telemetry';
import type { LedgerRead } from './ledger.ts';

const logger = log('ledger');
const quarantined = counter('starling.bus.quarantined');

/** What may be written. */
export type LedgerValue = LedgerRun | LedgerReleased | LedgerEnd;

/**
 * @throws {EncodeError} when the value is over the contract's bound
 */
export function encodeValue(jobId: JobId, record: LedgerValue): Uint8Array {
  return encode(ledgerEntryContract, { jobId, record });
}

/**
 * A stored value. One that cannot be read is counted and given as released: it says nothing, and the
 * next attempt may write over it.
 */
export function readValue(
  jobId: JobId,
  entry: { readonly bytes: Uint8Array; readonly revision: number },
): LedgerRead {
  const { revision } = entry;
  const decoded = decode(ledgerEntryContract, entry.bytes);
  if (decoded.ok && decoded.value.jobId === jobId) {
    const { record } = decoded.value;
    switch (record.kind) {
      case 'run':
        return { kind: 'run', revision, run: record };
      case 'released':
        return { kind: 'released', revision, released: record };
      case 'end':
        return { kind: 'end', revision, end: record };
    }
  }
  const fault = decoded.ok ? 'other_job' : decoded.fault.kind;
  if (fault === 'newer') return { kind: 'newer', revision };
  quarantined.add(1, { contract: ledgerEntryContract.name, fault });
  logger.error('entry.unreadable', { jobId, revision, fault });
  return { kind: 'released', revision, released: { kind: 'released', attempt: 1, atMs: 0 } };
}

/**
 * What stands, for the rules; `undefined` when nothing does. A newer version's entry is none that they
 * know, and is handled before.
 */
export function standingEntry(
  read: Exclude<LedgerRead, { kind: 'newer' }>,
): LedgerEntry | undefined {
  switch (read.kind) {
    case 'none':
      return undefined;
    case 'run':
      return { revision: read.revision, record: ruled(read.run) };
    case 'released':
      return { revision: read.revision, record: ruled(read.released) };
    case 'end':
      return { revision: read.revision, record: ruled(read.end) };
  }
}

/** A value as the rules see it. */
export function ruled(value: LedgerValue): LedgerEntry['record'] {
  const { attempt } = value;
  switch (value.kind) {
    case 'run':
      return { kind: 'run', workerId: value.workerId, attempt };
    case 'released':
      return { kind: 'released', attempt };
    case 'end': {
      const { outcome } = value.result;
      const cancelled = outcome.kind === 'failed' && outcome.code === 'cancelled';
      return {
        kind: 'end',
        outcome: cancelled ? 'cancelled' : outcome.kind,
        attempt,
        ...(value.workerId !== undefined && { workerId: value.workerId }),
      };
    }
  }
}
