import { z } from 'zod';

/** Text that means one kind of id only: two adjacent ids of different kinds cannot be swapped. */
const id = (pattern: RegExp, what: string) => z.string().regex(pattern, `is not ${what}`);

/** A Discord id: digits, 17 to 20 of them (discord.com/developers/docs/reference#snowflakes). */
const snowflake = (what: string) => id(/^\d{17,20}$/, `a Discord ${what} id (17 to 20 digits)`);

/** Safe as one token of a NATS subject: no dot, no wildcard, no space. */
const subjectToken = (what: string) => id(/^[A-Za-z0-9_-]{1,64}$/, `a ${what} id`);

export const guildId = snowflake('guild').brand<'GuildId'>();
export const channelId = snowflake('channel').brand<'ChannelId'>();
export const userId = snowflake('user').brand<'UserId'>();
export const messageId = snowflake('message').brand<'MessageId'>();
/** The idempotency key of a job: the id of the Discord event that asked for it. */
export const jobId = subjectToken('job').brand<'JobId'>();
export const workerId = subjectToken('worker').brand<'WorkerId'>();
export const balancerId = subjectToken('balancer').brand<'BalancerId'>();
/** A cluster of shards, for example `c0`. */
export const clusterId = subjectToken('cluster').brand<'ClusterId'>();
/** An HTTP front door, for example `ingress-1`. Never the id of a cluster too: both own subjects. */
export const ingressId = subjectToken('ingress').brand<'IngressId'>();
/** The first 8 hex digits of a W3C trace id (features A1). */
export const correlationId = id(/^[0-9a-f]{8}$/, 'a correlation id').brand<'CorrelationId'>();

/**
 * What is asked of a model and in whose name: jobs of one call key may share a call (features A8). A
 * hash of 128 bits, base64url.
 */
export const callKey = id(/^[A-Za-z0-9_-]{22}$/, 'a call key').brand<'CallKey'>();

export type GuildId = z.infer<typeof guildId>;
export type ChannelId = z.infer<typeof channelId>;
export type UserId = z.infer<typeof userId>;
export type MessageId = z.infer<typeof messageId>;
export type JobId = z.infer<typeof jobId>;
export type WorkerId = z.infer<typeof workerId>;
export type BalancerId = z.infer<typeof balancerId>;
export type ClusterId = z.infer<typeof clusterId>;
export type IngressId = z.infer<typeof ingressId>;
export type CorrelationId = z.infer<typeof correlationId>;
export type CallKey = z.infer<typeof callKey>;
