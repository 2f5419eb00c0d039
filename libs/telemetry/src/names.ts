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
  balancerId: 'starling.balancer.id',
  errorCode: 'starling.error.code',
  /** The stable word for the cause of a provider's failure, for example `http_500`. */
  errorDetail: 'starling.error.detail',
  /** Why this worker: the explanation of the choice, as JSON (features B10). */
  choice: 'starling.dispatch.choice',
  /** What the worker said: `ok`, `full`, `timeout`, ... */
  dispatchReply: 'starling.dispatch.reply',
  /** Name of the API key of a request. */
  caller: 'starling.request.caller',
  /** What the key of a durable request stood for: `new`, `running`, `ended`. */
  durable: 'starling.request.durable',
  /** How often a request was submitted to a balancer; more than 1 after a death. */
  submissions: 'starling.request.submissions',
  /** Jobs that stood before it when it was accepted. */
  queuePosition: 'starling.queue.position',
  /** Milliseconds, as the balancer expected them. */
  expectedWaitMs: 'starling.queue.expected_wait_ms',
  httpStatus: 'http.response.status_code',
  llmRetries: 'starling.llm.retries',
  /** Rungs of the ladder that were dialled for the answer; each that failed is an event of the span. */
  llmCalls: 'starling.llm.calls',
  /** Which rung answered, or was dialled last: `provider/model`, with the name of its key where it has one. */
  llmRung: 'starling.llm.rung',
  /** Why that rung was dialled: `usual`, `probe` of one that was open, `forced` for want of a better one, `hedge` beside a late one. */
  llmRungAs: 'starling.llm.rung.as',
  /** US dollars, by the price of the rung that answered. */
  llmCost: 'starling.llm.cost_usd',
  /** What the large model would have cost more, where a rule chose the small one. */
  llmCostSaved: 'starling.llm.cost_saved_usd',
  /** The rule that chose the model, of `choice-rules.ts`, and what it says. */
  llmChoice: 'starling.llm.choice',

  /** The provider told no figures: the LLM tokens are counted by us. */
  llmUsageEstimated: 'starling.llm.usage_estimated',
  frames: 'starling.llm.frames',
  /** What came of a press of a button: `stopped`, `ended`, `not_allowed`, ... */
  pressOutcome: 'starling.press.outcome',
  /** The answer came from the call of another job, whose `llm` span is linked. */
  shared: 'starling.llm.shared',
} as const;

/**
 * OpenTelemetry's GenAI conventions (opentelemetry.io/docs/specs/semconv/gen-ai/). They are not
 * stable, and so are copied, as OpenTelemetry advises, rather than imported.
 */
export const genAiNames = {
  operation: 'gen_ai.operation.name',
  provider: 'gen_ai.provider.name',
  requestModel: 'gen_ai.request.model',
  maxTokens: 'gen_ai.request.max_tokens',
  stream: 'gen_ai.request.stream',
  responseModel: 'gen_ai.response.model',
  finishReasons: 'gen_ai.response.finish_reasons',
  /** Seconds. */
  timeToFirstChunk: 'gen_ai.response.time_to_first_chunk',
  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
} as const;

/** Span names: one a phase, named after it, under one a message or a request. */
export const spanNames = {
  /** From Discord's event to the last edit. */
  message: 'message',
  /** From a caller's HTTP request to the last byte of its answer. */
  request: 'request',
  /** Somebody used a button: from Discord's event to the answer to whoever did. */
  press: 'press',
  receive: 'receive',
  route: 'route',
  context: 'context',
  admit: 'admit',
  queue: 'queue',
  dispatch: 'dispatch',
  llm: 'llm',
  compose: 'compose',
  send: 'send',
} as const satisfies Record<PhaseName | 'message' | 'request' | 'press', string>;

/** A span's name; the set is closed so that every trace reads the same. */
export type SpanName = (typeof spanNames)[keyof typeof spanNames];

/** Names of the events on our spans. */
export const spanEventNames = {
  /** A rung of the ladder was dialled and did not answer. */
  rungFailed: 'llm.rung_failed',
} as const;

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
  'starling.bus.feed_reads': {
    description: 'Times a feed or watch read its stream anew, by stream and why.',
    unit: '{read}',
  },
  'starling.redis.failures': {
    description: 'Redis commands that failed, by error code.',
    unit: '{command}',
  },
  'starling.bus.disconnects': {
    description: 'Times the connection to the bus was lost.',
    unit: '{disconnect}',
  },
  'starling.budgets.near': {
    description: 'Budgets of which four fifths were used, by whose they are.',
    unit: '{budget}',
  },
  'starling.bot.endings': {
    description: 'Questions that were answered, refused or failed, by kind and error code.',
    unit: '{message}',
  },
  'starling.bot.interactions': {
    description: 'Uses of buttons, menus and commands, by what came of them.',
    unit: '{interaction}',
  },
  'starling.bot.left_out': {
    unit: '{message}',
    description:
      'Questions left without a word: a cluster had twice the answers open that it may have',
  },
  'starling.bot.quarantined': {
    description: 'Events of the gateway and messages of the bus that could not be read, by source.',
    unit: '{message}',
  },
  'starling.conversation.quarantined': {
    description: 'Stored turns of a conversation that could not be read and were set aside.',
    unit: '{turn}',
  },
  'starling.bus.quarantined': {
    description: 'Messages that do not decode, by contract and fault.',
    unit: '{message}',
  },
  'starling.clock.skewed': {
    description: 'Clocks of other hosts found 2 s and more from the balancer’s, by kind of source.',
    unit: '{finding}',
  },
  'starling.dispatch.replies': {
    description: 'Answers of workers to run requests, by kind.',
    unit: '{reply}',
  },
  'starling.jobs.ended': {
    description: 'Jobs by how they ended: `done`, or the code of their failure.',
    unit: '{job}',
  },
  'starling.llm.breaker_changes': {
    description:
      'Rungs that opened or closed, keys that rest or are out, by state and by who found out: `here`, `fleet`.',
    unit: '{change}',
  },
  'starling.llm.answers_restarted': {
    description: 'Answers that broke off after their first text and were begun anew.',
    unit: '{answer}',
  },
  'starling.llm.tokens': {
    description:
      'LLM tokens of answered calls, by kind (prompt, completion), provider, model, and whether we counted them.',
    unit: '{token}',
  },
  'starling.llm.cost': {
    description:
      'What answered calls cost by the prices of the file of providers, by provider, model, and whether we counted.',
    unit: '{USD}',
  },
  'starling.llm.cost_saved': {
    description:
      'What the large model would have cost more for questions that a rule gave to the small one, by provider and model.',
    unit: '{USD}',
  },
  'starling.llm.calls_saved': {
    description: 'Answers that came from the call of another job: calls that were not made.',
    unit: '{call}',
  },
  'starling.llm.limit_waits': {
    description: 'Calls that had to wait for room within a shared limit, by its kind.',
    unit: '{call}',
  },
  'starling.frames.lost': {
    description: 'Frames that could not be sent; the result makes up for them.',
    unit: '{frame}',
  },
  'starling.frames.resent': {
    description: 'Frames that were sent again because a reader missed them.',
    unit: '{frame}',
  },
  'starling.jobs.fenced': {
    description: 'Ends that the ledger refused, because another worker had taken the job over.',
    unit: '{job}',
  },
  'starling.jobs.dead': {
    description: 'Jobs that were given up and kept as dead letters, by reason.',
    unit: '{job}',
  },
  'starling.results.left': {
    description: 'Results of ephemeral jobs whose ingress was away for too long.',
    unit: '{result}',
  },
  'starling.ingress.requests': {
    description: 'HTTP requests that were answered, by route and status.',
    unit: '{request}',
  },
  'starling.ingress.refusals': {
    description: 'HTTP requests that were refused or failed, by error code.',
    unit: '{request}',
  },
  'starling.ingress.resubmissions': {
    description: 'Jobs that were handed to another balancer, by why.',
    unit: '{job}',
  },
  'starling.ingress.durable': {
    description:
      'Durable requests by what their key stood for: `new`, `running`, `ended`, or `conflict`.',
    unit: '{request}',
  },
  'starling.ingress.disconnects': {
    description: 'Callers who were gone before their answer ended, by why.',
    unit: '{request}',
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
  'starling.ingress.first_token': {
    description: "Time from a caller's request to the first text of its streamed answer.",
    unit: 'ms',
  },
} as const satisfies Record<string, InstrumentMeaning>;
export type HistogramName = keyof typeof histogramMeanings;

/** Gauges by name. */
export const gaugeMeanings = {
  'starling.ingress.in_flight': {
    description: 'HTTP requests in hand: taken in, last byte not sent.',
    unit: '{request}',
  },
  'starling.ingress.balancers': {
    description: 'Balancers that are heard and take jobs.',
    unit: '{balancer}',
  },
  'starling.fleet.workers': { description: 'Workers that serve.', unit: '{worker}' },
  'starling.fleet.slots': {
    description: 'Slots that they offer now, in use or free.',
    unit: '{slot}',
  },
  'starling.fleet.in_flight': { description: 'Jobs that hold a slot.', unit: '{job}' },
  'starling.fleet.waiting': {
    description: 'Jobs that wait for a slot, in all balancers.',
    unit: '{job}',
  },
  'starling.fleet.wanted_slots': {
    description: 'Slots with which no job would wait for longer than it should.',
    unit: '{slot}',
  },
  'starling.fleet.wanted_workers': {
    description: 'Workers with so many slots: what to scale them to.',
    unit: '{worker}',
  },
} as const satisfies Record<string, InstrumentMeaning>;
export type GaugeName = keyof typeof gaugeMeanings;
