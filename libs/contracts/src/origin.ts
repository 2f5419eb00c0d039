/** Who asked for a job, and so where its answer goes. */
import { z } from 'zod';
import {
  type ClusterId,
  channelId,
  clusterId,
  guildId,
  type IngressId,
  ingressId,
  messageId,
  userId,
} from './ids.ts';

/** Where the answer goes: everything a cluster needs to answer a job that it did not accept itself. */
export const discordOrigin = z.object({
  kind: z.literal('discord'),
  /** The cluster whose shards own the guild; frames and results go there. */
  clusterId,
  /** Absent in a direct message. */
  guildId: guildId.optional(),
  channelId,
  messageId,
  userId,
});
export type DiscordOrigin = z.infer<typeof discordOrigin>;

/**
 * A caller of the HTTP front door, who holds a connection open and can ask again. Its job is
 * *ephemeral* unless the caller asks otherwise: it stands neither in `JOBS` nor in the ledger, and ends
 * with its connection. The end of a stored one is *collected*: it stands in the ledger for whoever asks
 * with the caller's key, on any ingress, and nobody has to bring it anywhere.
 */
export const ingressOrigin = z.object({
  kind: z.literal('ingress'),
  /** The ingress that holds the connection; frames and the result go there. */
  ingressId,
  /** The caller's request. Each time it is submitted it is a job of its own. */
  requestId: z.string().regex(/^[A-Za-z0-9_-]{1,48}$/, 'is not a request id'),
  /** Name of the API key: callers share the fleet by it, as guilds do. */
  caller: z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/, 'is not the name of an API key'),
  /** False when the caller waits for the whole answer: then no frames are sent. */
  stream: z.boolean(),
  /**
   * Of a stored job: a hash of each field of the request that changes the answer, by the field's name in
   * the request. Whoever uses the key again with another body is told which field differs.
   */
  fingerprint: z
    .record(z.string().regex(/^[a-z][a-z_]{0,63}$/), z.string().regex(/^[A-Za-z0-9_-]{1,16}$/))
    .optional(),
});
export type IngressOrigin = z.infer<typeof ingressOrigin>;

export const jobOrigin = z.discriminatedUnion('kind', [discordOrigin, ingressOrigin]);
export type JobOrigin = z.infer<typeof jobOrigin>;

/** A process that questions came in through: it is sent the frames and the results of their jobs. */
export type OwnerId = ClusterId | IngressId;
export const ownerId = z.union([clusterId, ingressId]);

/** Where the frames and the result of a job go. */
export function ownerOfOrigin(origin: JobOrigin): OwnerId {
  return origin.kind === 'discord' ? origin.clusterId : origin.ingressId;
}
