/** The only list of span, metric and event names. A name that is not here is not used. */
import type { PhaseName } from '@starling/contracts';

/** Attribute keys of our own; OpenTelemetry's conventions are imported where they exist. */
export const attributeNames = {
  correlationId: 'starling.correlation_id',
  jobId: 'starling.job.id',
  attempt: 'starling.job.attempt',
  lane: 'starling.job.lane',
  workerId: 'starling.worker.id',
  errorCode: 'starling.error.code',
} as const;

/** Span names: one a phase, named after it. */
export const spanNames = {
  receive: 'receive',
  route: 'route',
  context: 'context',
  admit: 'admit',
  queue: 'queue',
  dispatch: 'dispatch',
  llm: 'llm',
  compose: 'compose',
  send: 'send',
} as const satisfies Record<PhaseName, string>;
