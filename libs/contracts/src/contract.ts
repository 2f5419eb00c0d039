import { z } from 'zod';

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

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/** Declares a contract; its version is written into every payload as `v`. */
export function defineContract<Schema extends z.ZodObject>(
  contract: Contract<Schema>,
): Contract<Schema> {
  return Object.freeze(contract);
}

/** Thrown by {@link encode}: a programmer's error, since what we send we have built ourselves. */
export class EncodeError extends Error {
  override readonly name = 'EncodeError';
}

/**
 * Bytes of a payload.
 * @throws {EncodeError} when the value does not fit the contract or is over its `maxBytes`
 */
export function encode<Schema extends z.ZodObject>(
  contract: Contract<Schema>,
  value: z.input<Schema>,
): Uint8Array {
  const parsed = contract.schema.safeParse(value);
  if (!parsed.success) {
    throw new EncodeError(`${contract.name}: ${z.prettifyError(parsed.error)}`);
  }
  const bytes = encoder.encode(JSON.stringify({ v: contract.version, ...parsed.data }));
  if (bytes.byteLength > contract.maxBytes) {
    throw new EncodeError(
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
  const parsed = contract.schema.safeParse(json);
  return parsed.success
    ? { ok: true, value: parsed.data }
    : { ok: false, fault: { kind: 'invalid', problem: z.prettifyError(parsed.error) } };
}

function versionOf(json: unknown): number | undefined {
  if (typeof json !== 'object' || json === null || !('v' in json)) return undefined;
  return typeof json.v === 'number' ? json.v : undefined;
}
