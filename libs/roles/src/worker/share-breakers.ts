/**
 * Tells the other workers what became of a rung, and hears it from them (features C5): one that is dead is
 * passed over by all of them after one of them has paid for it, and one probe of the fleet finds out when it
 * is well again. While the bus is away each worker knows its own calls only, and probes for itself.
 */
import { createHash } from 'node:crypto';
import type { Bus, KeyValue, KeyValueSpec } from '@starling/bus';
import { breakerStateContract, decode, encode, subjects, type WorkerId } from '@starling/contracts';
import type { BreakerBoard, BreakerChange } from '@starling/llm';
import type { RoleTelemetry } from '@starling/telemetry';

/**
 * Who probes a rung: the key is the rung, whoever creates it probes. It goes by itself before the next probe
 * is due, also when its owner has died.
 */
const probesBucket: KeyValueSpec = {
  name: 'PROBES',
  ttlMs: 10_000,
  maxBytes: 1_048_576,
  maxValueBytes: 256,
};

/** A call waits for this before a probe; a bus that is slower has no say. */
const claimTimeoutMs = 200;

interface Sharing {
  readonly bus: Bus;
  /** Absent: there is nothing to share. */
  readonly board?: BreakerBoard | undefined;
  readonly workerId: WorkerId;
  readonly telemetry: RoleTelemetry;
}

/** Joins the workers of the fleet until it is disposed. */
export async function shareBreakers(of: Sharing): Promise<AsyncDisposable> {
  const { board, bus, telemetry, workerId } = of;
  if (!board) return new AsyncDisposableStack();
  const probes = await bus.openKeyValue(probesBucket);
  const heard = await bus.messaging.subscribe(subjects.breakerState, ({ payload }) => {
    const decoded = decode(breakerStateContract, payload);
    if (!decoded.ok) telemetry.log('worker').warn('breaker_state.malformed');
    else if (decoded.value.workerId !== workerId) board.hear(decoded.value);
  });
  const joined = board.join({
    tell: (change) => tell(of, change),
    claimProbe: (rungId) => claimProbe(probes, workerId, rungId),
  });
  return {
    async [Symbol.asyncDispose]() {
      joined[Symbol.dispose]();
      await heard[Symbol.asyncDispose]();
    },
  };
}

function tell(
  { bus, telemetry, workerId }: Pick<Sharing, 'bus' | 'telemetry' | 'workerId'>,
  { forMs, keyId, rungId, state }: BreakerChange,
): void {
  try {
    const word = encode(breakerStateContract, { workerId, rungId, keyId, state, forMs });
    bus.messaging.publish(subjects.breakerState, word);
  } catch (error) {
    // The others find out by calls of their own.
    telemetry.log('worker').debug('breaker_state.untold', { error });
  }
}

async function claimProbe(probes: KeyValue, workerId: WorkerId, rungId: string): Promise<boolean> {
  const key = createHash('sha256').update(rungId).digest('hex');
  try {
    const { ok } = await probes.create(key, Buffer.from(workerId), { timeoutMs: claimTimeoutMs });
    return ok;
  } catch {
    return true;
  }
}
