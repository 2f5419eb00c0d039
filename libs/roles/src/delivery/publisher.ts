import type { Messaging } from '@starling/bus';
import type { Logger } from '@starling/telemetry';

/**
 * Publishes what may be lost. While the bus is away it is left out: by the contracts of such messages
 * whoever listens makes up for them.
 */
export function publisherOf(
  messaging: Messaging,
  logger: Logger,
): (subject: string, payload: Uint8Array) => void {
  return (subject, payload) => {
    try {
      messaging.publish(subject, payload);
    } catch (error) {
      logger.debug('message.unsent', { subject, error });
    }
  };
}
