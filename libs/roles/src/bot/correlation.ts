import type { Random } from '@starling/clock';
import { type CorrelationId, correlationId } from '@starling/contracts';
import { type Context, correlationIdOf } from '@starling/telemetry';

/** The correlation id of a context; drawn where no trace runs, so that a user can still be helped by it. */
export function correlationIdFor(random: Random, context?: Context): CorrelationId {
  return (
    correlationIdOf(context) ??
    correlationId.parse(
      random
        .integer(2 ** 32)
        .toString(16)
        .padStart(8, '0'),
    )
  );
}
