import { z } from 'zod';

/** Which gateway connections; none named means all of them. */
const where = z
  .strictObject({
    /** Shard ids. */
    shards: z.array(z.int().min(0)).max(16_384).optional(),
    shardCount: z.int().min(1).optional(),
  })
  .default({});

/** Which REST requests; none named means all of them. */
const route = z
  .strictObject({
    method: z.enum(['GET', 'POST', 'PATCH', 'PUT', 'DELETE']).optional(),
    /** The path after `/api/v10` begins with this, for example `/channels/`. */
    path: z.string().startsWith('/').max(500).optional(),
    /** The path ends with this, for example `/messages`. */
    pathEnd: z.string().max(500).optional(),
  })
  .default({});

/** How long a fault lasts; with neither, until the faults are replaced. */
const lasting = {
  /** It happens so often, then it is spent. */
  times: z.int().min(1).max(1_000_000).optional(),
  /** It ends after so many milliseconds. */
  forMs: z.int().min(1).max(86_400_000).optional(),
};
/** At most so many of the connections that match when the fault is switched on. */
const once = { where, times: z.int().min(1).max(1_000_000).optional() };
const delayMs = z.int().min(1).max(600_000);
/** The share of matching requests that it hits. */
const chance = z.number().gt(0).max(1).default(1);

/** Faults that hit the connections of the moment in which they are switched on. */
const immediateFaults = [
  /** The socket stays open and silent: nothing is read, nothing written, no FIN. */
  z.strictObject({ kind: z.literal('half_open'), ...once }),
  /** The connection is reset. */
  z.strictObject({ kind: z.literal('drop_socket'), ...once }),
  /** Op 7; the server closes by itself after `reconnectGraceMs`. */
  z.strictObject({ kind: z.literal('reconnect'), ...once }),
  /** Op 9; with `resumable` false the session is gone. */
  z.strictObject({ kind: z.literal('invalid_session'), resumable: z.boolean(), ...once }),
  /** The server asks for a heartbeat (op 1). */
  z.strictObject({ kind: z.literal('request_heartbeat'), ...once }),
  z.strictObject({
    kind: z.literal('close'),
    code: z.literal([
      4000, 4001, 4002, 4003, 4004, 4005, 4007, 4008, 4009, 4010, 4011, 4012, 4013, 4014,
    ]),
    ...once,
  }),
] as const;

/** Faults that stay until they are spent or over. */
const lastingFaults = [
  /** The gateway's port refuses; connections that stand are reset unless told otherwise. */
  z.strictObject({
    kind: z.literal('refuse_connections'),
    forMs: z.int().min(1).max(600_000),
    dropExisting: z.boolean().default(true),
  }),
  /** Heartbeats are read and never acknowledged. */
  z.strictObject({ kind: z.literal('swallow_heartbeat_acks'), where, ...lasting }),
  /** READY comes this much later. */
  z.strictObject({ kind: z.literal('slow_ready'), delayMs, where, ...lasting }),
  /** `session_start_limit.remaining` is 0, and IDENTIFY is answered with op 9. */
  z.strictObject({ kind: z.literal('remaining_zero'), ...lasting }),
  z.strictObject({
    kind: z.literal('rate_limited'),
    scope: z.enum(['user', 'global', 'shared']),
    retryAfterMs: z.int().min(1).max(600_000).default(1000),
    route,
    chance,
    ...lasting,
  }),
  /** `after`: the request is carried out, for example the message created, and then answered so. */
  z.strictObject({
    kind: z.literal('server_error'),
    status: z.union([z.literal(500), z.literal(502), z.literal(503), z.literal(504)]).default(502),
    when: z.enum(['before', 'after']).default('before'),
    route,
    chance,
    ...lasting,
  }),
  z.strictObject({
    kind: z.literal('reset'),
    when: z.enum(['before', 'after']).default('after'),
    route,
    chance,
    ...lasting,
  }),
  z.strictObject({ kind: z.literal('slow'), delayMs, route, chance, ...lasting }),
  z.strictObject({
    kind: z.literal('html'),
    status: z.union([z.literal(403), z.literal(429), z.literal(502), z.literal(520)]).default(502),
    route,
    chance,
    ...lasting,
  }),
] as const;

const immediateFault = z.discriminatedUnion('kind', immediateFaults);
const lastingFault = z.discriminatedUnion('kind', lastingFaults);

/** One fault as it is written. */
export const faultSpec = z.discriminatedUnion('kind', [...immediateFaults, ...lastingFaults]);

/** Every kind of fault there is. */
export const faultKinds: readonly string[] = [...immediateFaults, ...lastingFaults].map(
  (fault) => fault.shape.kind.value,
);

export type FaultSpec = z.output<typeof faultSpec>;
export type FaultInput = z.input<typeof faultSpec>;
export type ImmediateFault = z.output<typeof immediateFault>;
export type LastingFault = z.output<typeof lastingFault>;

const immediateKinds: ReadonlySet<string> = new Set(
  immediateFaults.map((fault) => fault.shape.kind.value),
);

/** Whether it hits once, at the moment it is switched on. */
export function isImmediate(fault: FaultSpec): fault is ImmediateFault {
  return immediateKinds.has(fault.kind);
}
