import { createHash } from 'node:crypto';
import type { JobId } from '@starling/contracts';

/**
 * The nonce of one part of an answer: the same for every try, attempt and process, so that with
 * `enforce_nonce` Discord itself refuses a second visible copy. Never the attempt (protocol: crash
 * table). It ends in the part's number, so that the parts of one answer are seen to belong together.
 * At most 25 characters (discord.com/developers/docs/resources/message#create-message).
 *
 * @param part 0 to 99
 */
export function partNonce(jobId: JobId, part: number): string {
  return `${createHash('sha256').update(jobId).digest('base64url').slice(0, 22)}.${part}`;
}
