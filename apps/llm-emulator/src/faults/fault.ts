/** The faults a provider can show, as data. Delays are in milliseconds and are not scaled by the profile. */
import { z } from 'zod';
import { keyLabel } from '../key-label.ts';

/** A stall without an end of its own would hold a connection for ever; nothing waits longer than this. */
const stallMsMax = 600_000;
const stallMs = z.number().min(0).max(stallMsMax).default(stallMsMax);
/** LLM tokens of the answer that are sent first; a whole body is divided in the same proportion. */
const afterTokens = z.int().min(0).max(100_000).default(5);
const headers = z
  .record(z.string().regex(/^[A-Za-z0-9-]{1,100}$/), z.string().max(1000))
  .default({});
const limit = z.strictObject({
  limit: z.int().min(0),
  remaining: z.int().min(0),
  resetS: z.number().min(0),
});
/** Told in the provider's own header names. */
const limits = z.strictObject({ requests: limit.optional(), tokens: limit.optional() }).default({});

/** Every kind of fault, each with what it does. */
export const faultSchema = z.discriminatedUnion('kind', [
  /** Refuses with this status in the provider's own error shape; 502 is an HTML page of its edge. */
  z.strictObject({
    kind: z.literal('status'),
    status: z.int().min(400).max(599),
    message: z.string().max(1000).optional(),
    /** Seconds, in `Retry-After`; left out, the header is. */
    retryAfterS: z.number().min(0).max(86_400).optional(),
    limits,
    headers,
    html: z.boolean().optional(),
    afterMs: z.number().min(0).max(stallMsMax).default(0),
  }),
  /** Adds headers to an answer that is otherwise healthy: a provider telling its limits. */
  z.strictObject({ kind: z.literal('headers'), limits, headers }),
  /** Takes the request and sends nothing at all for so long. */
  z.strictObject({ kind: z.literal('header-stall'), stallMs }),
  /** Sends the headers, then no token for so long. */
  z.strictObject({ kind: z.literal('first-token-stall'), stallMs }),
  z.strictObject({ kind: z.literal('mid-stream-stall'), stallMs, afterTokens }),
  /** Ends before the answer does: a regular end of the response, or with `abrupt` a closed connection. A whole body is always closed abruptly. */
  z.strictObject({
    kind: z.literal('truncated'),
    afterTokens,
    abrupt: z.boolean().default(false),
  }),
  /** The provider's error inside a stream with status 200; without a stream, an error body with status 200. */
  z.strictObject({
    kind: z.literal('error-in-stream'),
    afterTokens,
    status: z.int().min(400).max(599).default(500),
    message: z.string().max(1000).optional(),
  }),
  /** TCP RST, before the headers or after some tokens. */
  z.strictObject({ kind: z.literal('reset'), at: z.enum(['before', 'mid']), afterTokens }),
  /** Every frame in small writes that may divide a character. */
  z.strictObject({
    kind: z.literal('slow-drip'),
    bytesPerWrite: z.int().min(1).max(65_536).default(16),
    gapMs: z.number().min(0).max(stallMsMax).default(20),
  }),
  /** A frame that is not JSON, the answer going on after it; a whole body is cut and garbled. */
  z.strictObject({ kind: z.literal('garbage-json'), afterTokens }),
  /** One frame with so much text; a whole body gets so much white space in front. */
  z.strictObject({
    kind: z.literal('huge-chunk'),
    afterTokens,
    bytes: z
      .int()
      .min(1)
      .max(64 * 1024 * 1024)
      .default(4 * 1024 * 1024),
  }),
  /** Goes on with more text, every `gapMs`, until the client leaves. */
  z.strictObject({
    kind: z.literal('endless'),
    afterTokens,
    gapMs: z.number().min(1).max(stallMsMax).default(5),
  }),
  z.strictObject({
    kind: z.literal('wrong-content-type'),
    contentType: z.string().min(1).max(200).default('text/html; charset=utf-8'),
  }),
  /** The answer is whole, its usage missing. */
  z.strictObject({ kind: z.literal('no-usage') }),
]);

export type Fault = z.infer<typeof faultSchema>;

const ruleSchema = z.strictObject({
  /** Only requests for which all of these hold. Without `path`: chat requests on every path. */
  match: z
    .strictObject({
      model: z.string().min(1).max(200).optional(),
      /** A key or its label; kept as the label. */
      key: z.string().min(1).max(500).transform(keyLabel).optional(),
      path: z.string().startsWith('/').max(200).optional(),
    })
    .default({}),
  /** Share of the matching requests that are struck. */
  probability: z.number().min(0).max(1).default(1),
  /** Strikes so many requests, then never again; without it, for as long as the rule stands. */
  next: z.int().min(1).max(1_000_000).optional(),
  /** One fault, or several of which each strike draws one. */
  fault: z.union([faultSchema, z.array(faultSchema).min(1).max(64)]),
});

export const faultsSchema = z.strictObject({
  /** Seeds the draws of `probability` and of the choice among several faults. */
  seed: z.int().min(0).max(0xffff_ffff).optional(),
  /** The first rule that matches and strikes decides. */
  rules: z.array(ruleSchema).max(100).default([]),
  /** Refuses connections and drops those there are, once, from now on for so many milliseconds. The control endpoints are refused too. */
  refuseConnectionsMs: z.number().min(1).max(stallMsMax).optional(),
});

export type FaultRule = z.infer<typeof ruleSchema>;
export type Faults = z.infer<typeof faultsSchema>;
/** Faults as one writes them. */
export type FaultsInput = z.input<typeof faultsSchema>;
