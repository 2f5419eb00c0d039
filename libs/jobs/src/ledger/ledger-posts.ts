import type { KeyValue } from '@starling/bus';
import type { Clock } from '@starling/clock';
import {
  decode,
  encode,
  type JobId,
  type LedgerPost,
  ledgerPostContract,
} from '@starling/contracts';
import { log } from '@starling/telemetry';
import type { LedgerPosts, PostedPart } from './ledger.ts';
import { settled, tryTimeoutMs } from './settle-write.ts';

const logger = log('ledger');

/** An answer of 32 000 LLM tokens is some 70 messages of 2 000 characters. */
const maxParts = 100;

/** The messages of answers, over the ledger's bucket: `<jobId>.post.<part>`. */
export function createLedgerPosts(parts: {
  readonly bucket: KeyValue;
  readonly patience: { readonly clock: Clock; readonly retryForMs: number };
}): LedgerPosts {
  const { bucket, patience } = parts;
  const timeoutMs = tryTimeoutMs;
  const keyOf = (jobId: JobId, part: number) => `${jobId}.post.${part}`;

  async function standing(jobId: JobId, part: number) {
    const entry = await bucket.get(keyOf(jobId, part), { timeoutMs });
    if (!entry) return undefined;
    const decoded = decode(ledgerPostContract, entry.bytes);
    if (!decoded.ok) logger.error('post.unreadable', { jobId, part, fault: decoded.fault.kind });
    // What cannot be read may have been posted: as good as an intent.
    const post: LedgerPost = decoded.ok ? decoded.value : { jobId, part };
    return { post, revision: entry.revision };
  }

  return {
    async intend(jobId, part) {
      const bytes = encode(ledgerPostContract, { jobId, part });
      // An unclear answer to our own first try reads as "said before": not to post is the safe side.
      const result = await settled(patience, () =>
        bucket.create(keyOf(jobId, part), bytes, { timeoutMs }),
      );
      return result.ok;
    },

    async record(jobId, part, messageId) {
      const key = keyOf(jobId, part);
      const bytes = encode(ledgerPostContract, { jobId, part, messageId });
      return await settled(patience, async () => {
        // An intent, or a value that expired meanwhile, is written over; a message stands.
        for (;;) {
          const before = await standing(jobId, part);
          if (before?.post.messageId !== undefined) return before.post.messageId;
          const result = before
            ? await bucket.update(key, bytes, { revision: before.revision, timeoutMs })
            : await bucket.create(key, bytes, { timeoutMs });
          if (result.ok) return messageId;
        }
      });
    },

    async read(jobId) {
      const posted: PostedPart[] = [];
      while (posted.length < maxParts) {
        const part = posted.length + 1;
        const found = await settled(patience, () => standing(jobId, part));
        if (!found) break;
        const { messageId } = found.post;
        posted.push({ part, ...(messageId !== undefined && { messageId }) });
      }
      return posted;
    },
  };
}
