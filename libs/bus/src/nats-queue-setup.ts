/** Creates a work queue's stream and consumer, or brings them to their spec. */
import {
  AckPolicy,
  type ConsumerConfig,
  DeliverPolicy,
  DiscardPolicy,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream';
import { nanos } from 'nats';
import { isNameTaken } from './nats-errors.ts';
import type { WorkQueueSpec } from './port.ts';

/** Name of the one durable consumer that all takers of a queue share. */
export const takersConsumer = 'takers';

/**
 * Safe to call at any time and by several processes at once: each step asks for the same end state,
 * and "is there already" is answered by an update.
 */
export async function ensureQueue(manager: JetStreamManager, spec: WorkQueueSpec): Promise<void> {
  const stream = {
    subjects: [...spec.subjects],
    max_msgs: spec.maxMessages,
    max_age: nanos(spec.maxAgeMs),
    duplicate_window: nanos(spec.dedupeWindowMs),
    discard: DiscardPolicy.New,
  };
  await orUpdate(
    () =>
      manager.streams.add({
        ...stream,
        name: spec.name,
        retention: RetentionPolicy.Workqueue,
        storage: StorageType.File,
        num_replicas: 1,
      }),
    () => manager.streams.update(spec.name, stream),
  );
  const consumer = {
    ack_wait: nanos(spec.ackWaitMs),
    // A refusal by a full worker is a delivery too: a bound here would strand good jobs.
    max_deliver: -1,
    // The server's default of 1000 is shared by all takers and would cap the whole fleet.
    max_ack_pending: spec.maxMessages,
  };
  const fixed: Partial<ConsumerConfig> & { ack_policy: AckPolicy } = {
    durable_name: takersConsumer,
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
  };
  await orUpdate(
    () => manager.consumers.add(spec.name, { ...fixed, ...consumer }),
    () => manager.consumers.update(spec.name, takersConsumer, consumer),
  );
}

async function orUpdate(
  add: () => Promise<unknown>,
  update: () => Promise<unknown>,
): Promise<void> {
  try {
    await add();
  } catch (error) {
    if (!isNameTaken(error)) throw error;
    await update();
  }
}
