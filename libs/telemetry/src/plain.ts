/**
 * Turns whatever a caller logs into plain JSON values: bounded in size, without cycles, without
 * secrets, with names in one case. Logging must never throw and never grow with its input.
 */
import { isSecretName, redact } from './redact.ts';

/** What a JSONL line may hold. */
export type Plain = string | number | boolean | null | readonly Plain[] | PlainRecord;
export interface PlainRecord {
  readonly [name: string]: Plain;
}

/** Longest text of one value; enough for a stack trace. */
const maxTextLength = 4_000;
/** Nesting beyond it is written as `…`. */
const maxDepth = 5;
/** Elements of a list or names of an object that are written; the rest is counted. */
const maxElements = 50;

/** The first `max` characters, and how many more there were: `…(+N)`. */
export function truncate(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max)}…(+${text.length - max})`;
}

/** `totalDurationMs` → `total_duration_ms`. */
function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The plain form of a value; undefined and functions become null. */
export function plain(value: unknown, depth = 0): Plain {
  switch (typeof value) {
    case 'string':
      return truncate(redact(value), maxTextLength);
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'boolean':
      return value;
    case 'bigint':
    case 'symbol':
      return String(value);
    case 'object':
      return value === null ? null : plainObject(value, depth);
    default:
      return null;
  }
}

function plainObject(value: object, depth: number): Plain {
  if (depth >= maxDepth) return '…';
  if (value instanceof Error) return plainError(value, depth);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  if (Array.isArray(value) || value instanceof Set) {
    const all = [...value];
    const written = all.slice(0, maxElements).map((element) => plain(element, depth + 1));
    return all.length > maxElements ? [...written, `…(+${all.length - maxElements})`] : written;
  }
  return plainRecord(value instanceof Map ? value : Object.entries(value), depth);
}

function plainRecord(entries: Iterable<readonly [unknown, unknown]>, depth: number): PlainRecord {
  const record: Record<string, Plain> = {};
  let more = 0;
  for (const [key, value] of entries) {
    const name = String(key);
    if (value === undefined) continue;
    if (Object.keys(record).length >= maxElements) more += 1;
    else record[snakeCase(name)] = isSecretName(name) ? '[redacted]' : plain(value, depth + 1);
  }
  if (more > 0) record['…'] = `+${more}`;
  return record;
}

/** Name, message, code and cause of an error; its stack only where the error is the subject. */
function plainError(error: Error, depth: number): PlainRecord {
  const code = 'code' in error ? error.code : undefined;
  return {
    name: error.name,
    message: plain(error.message),
    ...((typeof code === 'string' || typeof code === 'number') && { code }),
    ...(error.stack !== undefined && depth <= 1 && { stack: plain(error.stack) }),
    ...(error.cause !== undefined && { cause: plain(error.cause, depth + 1) }),
  };
}
