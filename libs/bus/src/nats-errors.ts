import { JetStreamApiError } from '@nats-io/jetstream';
import { errors } from 'nats';
import { BusError } from './port.ts';

/** JSStreamStoreFailedF: how a stream with `discard: new` refuses (nats-server, server/errors.json). */
const storeFailed = 10077;

/** JSStreamNameExistErr: a stream of this name is there already, of another shape. */
export function isNameTaken(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === 10058;
}

/** JSStreamInvalidConfigF: an update that this stream cannot take. */
export function isConfigRefused(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === 10052;
}

/**
 * A stream cannot be kept on as many servers as asked: JSStreamReplicasNotSupportedErr (a server on its
 * own), JSClusterNoPeersErrF and JSInsufficientResourcesErr (too few in its cluster).
 */
export function isTooFewServers(error: unknown): boolean {
  return error instanceof JetStreamApiError && [10074, 10005, 10023].includes(error.code);
}

/** Whether there was nothing to delete: JSSequenceNotFoundErrF, or JSStreamMsgDeleteFailedF beyond the last. */
export function isMessageGone(error: unknown): boolean {
  return error instanceof JetStreamApiError && [10043, 10057].includes(error.code);
}

/**
 * The sequence that a subject holds, when a write was refused because it expected another one:
 * JSStreamWrongLastSequenceErrF, whose text ends in it.
 */
export function wrongLastSequence(error: unknown): number | undefined {
  if (!(error instanceof JetStreamApiError && error.code === 10071)) return undefined;
  return Number(/(\d+)$/.exec(error.message)?.[1] ?? 0);
}

/**
 * Any failure of the client as one of ours; the original is its cause. What has no code of its own is
 * `unreachable`: the server could not do it now.
 */
export function toBusError(error: unknown, what: string): BusError {
  if (error instanceof BusError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const as = (code: BusError['code'], text: string) =>
    new BusError(code, `${what}: ${text}`, { cause: error });
  if (error instanceof errors.TimeoutError) return as('timeout', 'no answer in time');
  if (
    error instanceof errors.ClosedConnectionError ||
    error instanceof errors.DrainingConnectionError
  ) {
    return as('closed', 'the bus is closed');
  }
  if (error instanceof errors.RequestError) {
    if (error.isNoResponders()) return as('no_responders', 'nobody listens');
    if (error.cause instanceof errors.ClosedConnectionError)
      return as('closed', 'the bus is closed');
  }
  if (error instanceof JetStreamApiError && error.code === storeFailed) return as('full', reason);
  return as('unreachable', reason);
}
