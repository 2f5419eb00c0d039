import type { z } from 'zod';
import { faultInStream, ProviderFaultError, providerCodeIn } from './provider-fault.ts';

/**
 * One JSON chunk of a stream, checked. Text with a hole in it is a wrong answer, so a chunk that does
 * not read ends the stream instead of being skipped.
 * @throws {ProviderFaultError} for an error object, for what is no JSON, for another shape
 */
export function parseChunk<Schema extends z.ZodType>(
  schema: Schema,
  text: string,
  secret: string | undefined,
): z.infer<Schema> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw malformed();
  }
  if (typeof json === 'object' && json !== null && 'error' in json && json.error) {
    throw new ProviderFaultError(faultInStream(providerCodeIn(json, secret)));
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw malformed();
  return parsed.data;
}

function malformed(): ProviderFaultError {
  return new ProviderFaultError({
    code: 'provider_unavailable',
    retryable: true,
    detail: 'malformed_stream',
  });
}
