import { NodeTransport } from 'nats/lib/node_transport.js';

/** Bytes at which the end of the turn is not waited for: as much as one write to a socket takes well. */
const maxGatheredBytes = 65_536;

/**
 * The client's transport, with one write to the socket for all that is sent in one turn of the event
 * loop. By itself the client writes at the end of each run of microtasks, which on a busy process is
 * once for nearly every message, and no other single thing costs as much. The order of what is sent
 * stays; what a lost connection had not written is lost, as with the client's own transport.
 */
export class TurnTransport extends NodeTransport {
  #gathered: Uint8Array[] = [];
  #gatheredBytes = 0;
  #armed = false;

  override send(frame: Uint8Array): void {
    this.#gathered.push(frame);
    this.#gatheredBytes += frame.byteLength;
    if (this.#gatheredBytes >= maxGatheredBytes) this.#write();
    else if (!this.#armed) {
      this.#armed = true;
      // Runs when every event that was there has been handled: at once when there was one alone.
      setImmediate(() => {
        this.#armed = false;
        this.#write();
      });
    }
  }

  #write(): void {
    const [first, second] = this.#gathered;
    if (first === undefined) return;
    const frames = second === undefined ? first : Buffer.concat(this.#gathered);
    this.#gathered = [];
    this.#gatheredBytes = 0;
    super.send(frames);
  }
}
