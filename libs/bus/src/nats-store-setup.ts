/** Creates the streams behind stores and buckets, or brings them to their spec. */
import {
  DiscardPolicy,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream';
import { nanos } from 'nats';
import { isConfigRefused, isNameTaken, isTooFewServers } from './nats-errors.ts';
import { BusError } from './port.ts';
import type { JobStoreSpec, KeyValueSpec } from './store-port.ts';

/** The least duplicate window that a server takes is 100 ms, the most the age of a message. */
const bucketDedupeMs = 120_000;

/** A server counts a message's headers too: ours and the client's are a line each. */
const headerSlackBytes = 1_024;

/** A stream as we ask for it: what can be changed later, and what cannot. */
interface Wanted {
  readonly name: string;
  readonly changeable: Partial<StreamConfig>;
}

const fixed = {
  retention: RetentionPolicy.Limits,
  storage: StorageType.File,
} as const;

/** The stream behind a bucket. */
export function bucketStream(bucket: string): string {
  return `KV_${bucket}`;
}

/** One message a subject: the second is refused, so that a subject's first message stays the one. */
export function jobStoreStream(spec: JobStoreSpec): Wanted {
  return {
    name: spec.name,
    changeable: {
      subjects: [...spec.subjects],
      max_msgs: spec.maxMessages,
      max_age: nanos(spec.maxAgeMs),
      duplicate_window: nanos(spec.dedupeWindowMs),
      discard: DiscardPolicy.New,
      max_msgs_per_subject: 1,
      discard_new_per_subject: true,
      allow_direct: true,
    },
  };
}

/**
 * A key-value bucket's stream (NATS ADR-8), with one difference: when it is full the values written
 * longest ago go, instead of every write being refused. Jobs that ended long ago must not stop those
 * that are to begin.
 */
export function keyValueStream(spec: KeyValueSpec): Wanted {
  return {
    name: bucketStream(spec.name),
    changeable: {
      subjects: [`$KV.${spec.name}.>`],
      max_age: nanos(spec.ttlMs),
      duplicate_window: nanos(Math.min(bucketDedupeMs, spec.ttlMs)),
      max_bytes: spec.maxBytes,
      max_msg_size: spec.maxValueBytes + headerSlackBytes,
      max_msgs_per_subject: 1,
      discard: DiscardPolicy.Old,
      allow_rollup_hdrs: true,
      allow_direct: true,
    },
  };
}

/**
 * Safe to call at any time and by several processes at once.
 * @param replicas on how many servers it is to be kept; one that is kept on more stays so
 * @returns on how many servers it is kept
 * @throws {BusError} `incompatible`: the name is taken by a stream that cannot become ours, such as
 *   the work queue that earlier versions kept jobs in. It is never deleted here: between seeing it
 *   empty and deleting it, another process may have replaced it and accepted a job. `too_few_servers`:
 *   the server is not part of a cluster that could keep so many copies.
 */
export async function ensureStream(
  manager: JetStreamManager,
  wanted: Wanted,
  replicas: number,
): Promise<{ readonly replicas: number }> {
  const { changeable, name } = wanted;
  try {
    await manager.streams.add({ ...fixed, ...changeable, name, num_replicas: replicas });
    return { replicas };
  } catch (error) {
    if (replicas > 1 && isTooFewServers(error)) throw tooFewServers(name, replicas, error);
    if (!isNameTaken(error)) throw error;
  }
  const { config, state } = await manager.streams.info(name);
  if (config.retention !== fixed.retention || config.storage !== fixed.storage) {
    throw incompatible(name, `retention ${config.retention}, ${state.messages} messages`);
  }
  const num_replicas = Math.max(replicas, config.num_replicas);
  try {
    await manager.streams.update(name, { ...changeable, num_replicas });
    return { replicas: num_replicas };
  } catch (error) {
    if (replicas > 1 && isTooFewServers(error)) throw tooFewServers(name, replicas, error);
    if (isConfigRefused(error))
      throw incompatible(name, 'it cannot be brought to our shape', error);
    throw error;
  }
}

function tooFewServers(name: string, replicas: number, cause: unknown): BusError {
  return new BusError(
    'too_few_servers',
    `the stream ${name} cannot be kept on ${replicas} servers (${cause instanceof Error ? cause.message : cause}): ` +
      'set STARLING_NATS_REPLICAS to 1, or connect to a NATS cluster of as many servers with JetStream',
    { cause },
  );
}

function incompatible(name: string, what: string, cause?: unknown): BusError {
  return new BusError(
    'incompatible',
    `the stream ${name} is of another kind (${what}), from an older version or another program: ` +
      `stop the fleet and delete it with "nats stream rm ${name}", or give the server another store`,
    { cause },
  );
}
