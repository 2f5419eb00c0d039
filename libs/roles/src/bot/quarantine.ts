import type { DecodeFault } from '@starling/contracts';
import { counter, type Logger } from '@starling/telemetry';

const quarantined = counter('starling.bot.quarantined');

/** Where something unreadable came from. */
export type QuarantineSource = 'gateway' | 'frame' | 'result' | 'wake' | 'outlook';

/** Problems are told one in so many, so that a stream of nonsense does not become a stream of log. */
const tellEvery = 100;

/** Sets aside what cannot be read: counted, told now and then, and never a crash. */
export function createQuarantine(logger: Logger) {
  const seen = new Map<QuarantineSource, number>();
  return (source: QuarantineSource, fault: DecodeFault | { readonly kind: 'invalid' }): void => {
    const count = (seen.get(source) ?? 0) + 1;
    seen.set(source, count);
    quarantined.add(1, { source, fault: fault.kind });
    if (count % tellEvery === 1) logger.warn('message.quarantined', { source, fault, count });
  };
}

export type Quarantine = ReturnType<typeof createQuarantine>;
