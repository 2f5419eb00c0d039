/**
 * Headers of bus messages. W3C names where there is one (w3.org/TR/trace-context, w3.org/TR/baggage),
 * so that any OpenTelemetry tool reads them; ours begin with `starling-`.
 */
export const headerNames = {
  traceparent: 'traceparent',
  tracestate: 'tracestate',
  baggage: 'baggage',
  /** First 8 hex digits of the trace id. */
  correlationId: 'starling-correlation-id',
  /** Absolute end of the job, milliseconds since the Unix epoch. */
  deadline: 'starling-deadline',
  guild: 'starling-guild',
  user: 'starling-user',
  /** The message that a job answers, in the channel of its conversation. */
  message: 'starling-message',
  /** The name of the API key behind a job of an ingress: callers share the fleet by it, as guilds do. */
  caller: 'starling-caller',
  lane: 'starling-lane',
  /** Estimated LLM tokens of a job, prompt and completion together. */
  tokenEstimate: 'starling-token-estimate',
  /** The version of the job's contract: a process that knows less leaves the job to others. */
  version: 'starling-version',
  /** The process that the answer goes through. */
  owner: 'starling-owner',
  /** Jobs of one conversation prefer one worker. */
  conversation: 'starling-conversation',
  /** The model that must serve a job; absent when any will do. */
  model: 'starling-model',
  /** Jobs of one call key may share a call of the provider; absent of a job that wants its own. */
  callKey: 'starling-call-key',
  /** Of a dead letter: the code that its job failed with, or `unreadable`. */
  deadReason: 'starling-dead-reason',
  /** What could not be read, percent-encoded. */
  deadProblem: 'starling-dead-problem',
  /** Attempts that were made. */
  deadAttempts: 'starling-dead-attempts',
  /** When it was given up, milliseconds since the Unix epoch. */
  deadAt: 'starling-dead-at',
  /** The subject in `JOBS` that it lay under. */
  deadSubject: 'starling-dead-subject',
  /** When `JOBS` took it in, milliseconds since the Unix epoch. */
  deadStoredAt: 'starling-dead-stored-at',
} as const;

/** Header name to value; one value a name. */
export type Headers = Readonly<Record<string, string>>;
