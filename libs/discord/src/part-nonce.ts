import { createHash } from 'node:crypto';
import type { JobId } from '@starling/contracts';

/**
 * The nonce of one part of an answer: the same for every try, attempt and process, so that with
 * `enforce_nonce` Discord itself refuses a second visible copy. Never the attempt (protocol: crash
 * table). 24 characters; Discord allows 25
 * (discord.com/developers/docs/resources/message#create-message).
 */
export function partNonce(jobId: JobId, part: number): string {
  return createHash('sha256').update(`${jobId}/${part}`).digest('base64url').slice(0, 24);
}
