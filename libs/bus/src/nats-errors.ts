import { JetStreamApiError } from '@nats-io/jetstream';
import { errors } from 'nats';
import { BusError } from './port.ts';

/** JSStreamStoreFailedF: how a stream with `discard: new` refuses (nats-server, server/errors.json). */
const storeFailed = 10077;

/**
 * Whether the server answered that an object is there already, of another shape:
 * JSStreamNameExistErr, JSConsumerNameExistErr, JSConsumerAlreadyExists.
 */
export function isNameTaken(error: unknown): boolean {
  return error instanceof JetStreamApiError && [10058, 10013, 10148].includes(error.code);
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
