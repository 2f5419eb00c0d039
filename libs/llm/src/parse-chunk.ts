import { faultInStream, ProviderFaultError, providerCodeIn } from './provider-fault.ts';

/** The fields of a chunk that are to be read; each is checked where it is. */
export type Fields = Readonly<Record<string, unknown>>;

/**
 * One JSON chunk of a stream, read by hand: a stream has one for each token. Text with a hole in it is
 * a wrong answer, so a chunk that does not read ends the stream instead of being skipped.
 * @throws {ProviderFaultError} for an error object, and for what is no JSON object
 */
export function parseChunk(text: string, secret: string | undefined): Fields {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw malformed();
  }
  if (typeof json === 'object' && json !== null && 'error' in json && json.error) {
    throw new ProviderFaultError(faultInStream(providerCodeIn(json, secret)));
  }
  return recordIn({ json }, 'json') ?? raise();
}

/** An object, or undefined where there is none. @throws {ProviderFaultError} for anything else */
export function recordIn(fields: Fields, name: string): Fields | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'object' || Array.isArray(value)) throw malformed();
  return value as Fields;
}

/** A text, or undefined where there is none. @throws {ProviderFaultError} for anything else */
export function textIn(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw malformed();
  return value;
}

/** A count, or undefined where there is none. @throws {ProviderFaultError} for anything else */
export function countIn(fields: Fields, name: string): number | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw malformed();
  return value;
}

/** A list of objects, empty where there is none. @throws {ProviderFaultError} for anything else */
export function recordsIn(fields: Fields, name: string): readonly Fields[] {
  const value = fields[name];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw malformed();
  for (const one of value) if (typeof one !== 'object' || one === null) throw malformed();
  return value;
}

/** What came is no chunk of an answer. */
export function malformed(): ProviderFaultError {
  return new ProviderFaultError({
    code: 'provider_unavailable',
    retryable: true,
    detail: 'malformed_stream',
  });
}

function raise(): never {
  throw malformed();
}
