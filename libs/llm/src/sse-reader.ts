import { LineReader, maxLineLength } from './line-reader.ts';
import { ProviderFaultError } from './provider-fault.ts';

/**
 * The data of each event of a Server-Sent Events stream
 * (html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation): `data` fields
 * joined by newlines, an event ends at an empty line; comments and other fields are passed over; an
 * event that was not ended does not count.
 */
export class SseReader {
  readonly #lines = new LineReader();
  #data: string | undefined;

  /**
   * The data of the events that this chunk ends.
   * @throws {ProviderFaultError} for a line or an event that has no end
   */
  read(chunk: Uint8Array): string[] {
    const events: string[] = [];
    for (const line of this.#lines.read(chunk)) {
      if (line === '') {
        if (this.#data !== undefined) events.push(this.#data);
        this.#data = undefined;
      } else if (line.startsWith('data:')) {
        this.#add(line.slice(line.startsWith(' ', 5) ? 6 : 5));
      } else if (line === 'data') {
        this.#add('');
      }
    }
    return events;
  }

  #add(value: string): void {
    this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`;
    if (this.#data.length <= maxLineLength) return;
    throw new ProviderFaultError({
      code: 'provider_unavailable',
      retryable: false,
      detail: 'event_too_long',
    });
  }
}
