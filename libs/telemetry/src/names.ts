/** The only list of span, metric and event names. A name that is not here is not used. */
import type { PhaseName } from '@starling/contracts';

/** Attribute keys of our own; OpenTelemetry's conventions are imported where they exist. */
export const attributeNames = {
  correlationId: 'starling.correlation_id',
  /** Which role of the fleet made the span: `bot`, `balancer`, `worker`; several share a process when embedded. */
  role: 'starling.role',
  phase: 'starling.phase',
  jobId: 'starling.job.id',
  attempt: 'starling.job.attempt',
  lane: 'starling.job.lane',
  workerId: 'starling.worker.id',
  errorCode: 'starling.error.code',
} as const;

/** Span names: one a phase, named after it, under one a message. */
export const spanNames = {
  /** From Discord's event to the last edit. */
  message: 'message',
  receive: 'receive',
  route: 'route',
  context: 'context',
  admit: 'admit',
  queue: 'queue',
  dispatch: 'dispatch',
  llm: 'llm',
  compose: 'compose',
  send: 'send',
} as const satisfies Record<PhaseName | 'message', string>;

/** A span's name; the set is closed so that every trace reads the same. */
export type SpanName = (typeof spanNames)[keyof typeof spanNames];

/** W3C baggage keys (w3.org/TR/baggage): who a message is about, carried with its context. */
export const baggageNames = {
  guildId: 'starling.guild_id',
  userId: 'starling.user_id',
  messageId: 'starling.message_id',
} as const;

interface InstrumentMeaning {
  readonly description: string;
  /** UCUM unit (opentelemetry.io/docs/specs/semconv/general/metrics/#instrument-units). */
  readonly unit: string;
}

/** Counters by name. */
export const counterMeanings = {
  'starling.bus.handler_failures': {
    description: 'Messages whose handler threw.',
    unit: '{message}',
  },
  'starling.bus.dropped': {
    description: 'Messages that no handler saw, by subject and why.',
    unit: '{message}',
  },
  'starling.bus.disconnects': {
    description: 'Times the connection to the bus was lost.',
    unit: '{disconnect}',
  },
  'starling.bot.endings': {
    description: 'Questions that were answered, refused or failed, by kind and error code.',
    unit: '{message}',
  },
  'starling.bot.quarantined': {
    description: 'Events of the gateway and messages of the bus that could not be read, by source.',
    unit: '{message}',
  },
  'starling.conversation.quarantined': {
    description: 'Stored turns of a conversation that could not be read and were set aside.',
    unit: '{turn}',
  },
  'starling.log.dropped': {
    description: 'Log lines that the log file could not take in time.',
    unit: '{line}',
  },
} as const satisfies Record<string, InstrumentMeaning>;
export type CounterName = keyof typeof counterMeanings;

/** Histograms by name. */
export const histogramMeanings = {
  'starling.phase.duration': {
    description: 'Time that a message spent in one phase; one record each time the phase did work.',
    unit: 'ms',
  },
} as const satisfies Record<string, InstrumentMeaning>;
export type HistogramName = keyof typeof histogramMeanings;
