/** The bounds that both adapters keep; docs/limits.md lists them with what happens at each. */
export const busLimits = {
  /** NATS's own default `max_payload`; a larger message is `too_large`. */
  maxPayloadBytes: 1_048_576,
  /** Messages waiting for a slow handler before the oldest is dropped. */
  maxPending: 10_000,
  /** One handler at once, so that order is kept. */
  concurrency: 1,
  /** Requests of one process that wait for an answer; more are `full` at once. */
  maxOpenRequests: 100_000,
  /** How long the server may take to confirm a subscription or any call to a store. */
  confirmTimeoutMs: 5_000,
  /** How long a drain waits for running handlers before it drops what is left. */
  drainTimeoutMs: 10_000,
  /** Ids that an in-memory store remembers; the oldest is forgotten beyond it. */
  maxRememberedIds: 100_000,
  /** How often a feed compares its number of messages with the store's. */
  compareEveryMs: 10_000,
  /** Removals that a feed heard of before the message itself; the oldest is forgotten beyond it. */
  maxEarlyRemovals: 10_000,
} as const;
