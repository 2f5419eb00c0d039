import { z } from 'zod';
import { type QuickReader, quickReader, refused } from './quick-reader.ts';

/**
 * How surely a message of a contract arrives.
 * - `at-most-once`: core NATS, gone when nobody listens.
 * - `request`: core NATS request and reply; the sender learns that nobody listens.
 * - `stored`: durable, stored until it is removed.
 */
export type Delivery = 'at-most-once' | 'request' | 'stored';

/** One kind of message on the bus, declared once; TypeScript types are inferred from it. */
export interface Contract<Schema extends z.ZodObject> {
  readonly name: string;
  /** The subject with its placeholders, for people and for the docs: `frames.<cluster>.<job>.<attempt>`. */
  readonly subject: string;
  /** Raised when an older reader could misread the payload; added optional fields do not raise it. */
  readonly version: number;
  readonly delivery: Delivery;
  /** The largest payload in bytes; a larger one is neither sent nor read. */
  readonly maxBytes: number;
  readonly schema: Schema;
}

export type Payload<C> = C extends Contract<infer Schema> ? z.infer<Schema> : never;

/** Why bytes did not decode. `newer` is left for a newer process; the others are quarantined. */
export type DecodeFault =
  | { readonly kind: 'too_large'; readonly bytes: number }
  | { readonly kind: 'not_json' }
  | { readonly kind: 'newer'; readonly version: number }
  | { readonly kind: 'invalid'; readonly problem: string };

export type Decoded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly fault: DecodeFault };

const decoder = new TextDecoder('utf-8', { fatal: true });

/** Declares a contract; its version is written into every payload as `v`. */
export function defineContract<Schema extends z.ZodObject>(
  contract: Contract<Schema>,
): Contract<Schema> {
  return Object.freeze(contract);
}

/** Thrown by {@link encode}: a programmer's error, unless what a user wrote is too large. */
export class EncodeError extends Error {
  override readonly name = 'EncodeError';
  readonly fault: 'invalid' | 'too_large';

  constructor(fault: EncodeError['fault'], message: string) {
    super(message);
    this.fault = fault;
  }
}

/**
 * Bytes of a payload.
 * @throws {EncodeError} when the value does not fit the contract or is over its `maxBytes`
 */
export function encode<Schema extends z.ZodObject>(
  contract: Contract<Schema>,
  value: z.input<Schema>,
): Uint8Array {
  const read = readWith(contract.schema, value);
  if (!read.success) {
    throw new EncodeError('invalid', `${contract.name}: ${z.prettifyError(read.error)}`);
  }
  // A payload is an object: the version goes in after its brace.
  const fields = JSON.stringify(read.data).slice(1);
  const bytes = Buffer.from(`{"v":${contract.version}${fields === '}' ? '' : ','}${fields}`);
  if (bytes.byteLength > contract.maxBytes) {
    throw new EncodeError(
      'too_large',
      `${contract.name}: ${bytes.byteLength} bytes is over its bound of ${contract.maxBytes}`,
    );
  }
  return bytes;
}

/** The payload of bytes from the bus, or why they are none. Never throws. */
export function decode<Schema extends z.ZodObject>(
  contract: Contract<Schema>,
  bytes: Uint8Array,
): Decoded<z.infer<Schema>> {
  if (bytes.byteLength > contract.maxBytes) {
    return { ok: false, fault: { kind: 'too_large', bytes: bytes.byteLength } };
  }
  let json: unknown;
  try {
    json = JSON.parse(decoder.decode(bytes));
  } catch {
    return { ok: false, fault: { kind: 'not_json' } };
  }
  const version = versionOf(json);
  if (version !== undefined && version > contract.version) {
    return { ok: false, fault: { kind: 'newer', version } };
  }
  const read = readWith(contract.schema, json);
  return read.success
    ? { ok: true, value: read.data }
    : { ok: false, fault: { kind: 'invalid', problem: z.prettifyError(read.error) } };
}

/** Readers of the schemas that were used so far; null where a schema has none. */
const readers = new WeakMap<z.ZodObject, QuickReader | null>();

/** As the schema's own `safeParse`, by its quick reader where that accepts the value. */
function readWith<Schema extends z.ZodObject>(
  schema: Schema,
  value: unknown,
): z.ZodSafeParseResult<z.infer<Schema>> {
  let reader = readers.get(schema);
  if (reader === undefined) {
    reader = quickReader(schema) ?? null;
    readers.set(schema, reader);
  }
  const data = reader ? reader(value) : refused;
  return data === refused
    ? schema.safeParse(value)
    : { success: true, data: data as z.infer<Schema> };
}

function versionOf(json: unknown): number | undefined {
  if (typeof json !== 'object' || json === null || !('v' in json)) return undefined;
  return typeof json.v === 'number' ? json.v : undefined;
}
