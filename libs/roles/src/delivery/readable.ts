import { decode, type Payload } from '@starling/contracts';
import { counter } from '@starling/telemetry';

const quarantined = counter('starling.bus.quarantined');

/** The payload of bytes from the bus; what does not decode is counted, and undefined. */
export function readable<C extends Parameters<typeof decode>[0]>(
  contract: C,
  bytes: Uint8Array,
): Payload<C> | undefined {
  const decoded = decode(contract, bytes);
  if (decoded.ok) return decoded.value as Payload<C>;
  quarantined.add(1, { contract: contract.name, fault: decoded.fault.kind });
  return undefined;
}
