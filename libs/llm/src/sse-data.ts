import { maxLineLength } from './line-reader.ts';
import { ProviderFaultError } from './provider-fault.ts';

/**
 * The data of each event of a Server-Sent Events stream
 * (html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation): `data` fields
 * joined by newlines, an event ends at an empty line; comments and other fields are passed over; an
 * event that was not ended does not count.
 */
export async function* sseDataOf(lines: AsyncIterable<string>): AsyncGenerator<string> {
  let data: string[] = [];
  let length = 0;
  for await (const line of lines) {
    if (line === '') {
      if (data.length > 0) yield data.join('\n');
      data = [];
      length = 0;
      continue;
    }
    const colon = line.indexOf(':');
    const name = colon === -1 ? line : line.slice(0, colon);
    if (name !== 'data') continue;
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    length += value.length;
    if (length > maxLineLength) {
      throw new ProviderFaultError({
        code: 'provider_unavailable',
        retryable: false,
        detail: 'event_too_long',
      });
    }
    data.push(value);
  }
}
