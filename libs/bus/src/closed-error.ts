import { BusError } from './port.ts';

/** The error of every call after the end. */
export function closedError(): BusError {
  return new BusError('closed', 'the bus is closed');
}
