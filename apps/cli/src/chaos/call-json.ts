import type { z } from 'zod';
import { DoorError } from '../people-door.ts';

/** An emulator that does not answer for so long is stuck; every call here is answered at once. */
const timeoutMs = 10_000;

/**
 * Asks an emulator's door.
 * @throws {DoorError} with what it said, when that was no success or not what was expected
 */
export async function callJson<T>(
  schema: z.ZodType<T>,
  url: string,
  request: { readonly method?: 'POST' | 'PUT' | 'DELETE'; readonly body?: unknown } = {},
): Promise<T> {
  const { method, body } = request;
  const response = await fetch(url, {
    ...(method && { method }),
    ...(body !== undefined && { body: JSON.stringify(body) }),
    headers: { 'content-type': 'application/json' },
    signal: AbortSignal.timeout(timeoutMs),
  });
  const text = await response.text();
  const { pathname } = new URL(url);
  if (!response.ok) throw new DoorError(`${pathname} answered ${response.status}: ${text}`);
  const parsed = schema.safeParse(text === '' ? undefined : JSON.parse(text));
  if (parsed.success) return parsed.data;
  throw new DoorError(`${pathname}: ${parsed.error.message}`);
}
