/** Headers as the client has them, where it does the sending and the reading: at its stores. */
import type { Headers } from '@starling/contracts';
import { type MsgHdrs, headers as natsHeaders } from 'nats';

/** Our headers as the client's. */
export function toNatsHeaders(from: Headers): MsgHdrs {
  const to = natsHeaders();
  for (const [name, value] of Object.entries(from)) to.set(name, value);
  return to;
}

/** The client's headers as ours, without the server's own (`Nats-…`). */
export function fromNatsHeaders(from: MsgHdrs | undefined): Headers {
  const to: Record<string, string> = {};
  for (const name of from?.keys() ?? []) {
    if (!name.startsWith('Nats-')) to[name] = from?.get(name) ?? '';
  }
  return to;
}
