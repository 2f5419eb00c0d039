import { field } from '../parse.ts';

/** The HTTP front door: who may ask, how much at once, and how long anything may take. */
export const ingressSection = {
  host: field.text('STARLING_INGRESS_HOST', {
    default: '127.0.0.1',
    accepts: 'address',
    doc: 'The address that the HTTP front door listens on. Without an API key it stays on loopback, whatever stands here, and says so.',
  }),
  port: field.integer('STARLING_INGRESS_PORT', {
    default: 8080,
    min: 0,
    max: 65_535,
    doc: 'The port of the HTTP front door; 0 takes a free one and tells it with readiness.',
  }),
  apiKeys: field.text('STARLING_API_KEYS', {
    default: undefined,
    accepts: '`name:sha256` entries, separated by commas',
    secret: true,
    doc: 'Who may use the HTTP front door: a name and the SHA-256 of the key in hex, never the key. A new one: `key=$(openssl rand -hex 24); echo "$key"; printf %s "$key" | sha256sum`. Keys must be random: a hash does not hide a guessable one.',
  }),
  apiKeysFile: field.text('STARLING_API_KEYS_FILE', {
    default: undefined,
    accepts: 'path',
    doc: 'A file of the same entries, one a line, `#` begins a comment. It is read at start and adds to `STARLING_API_KEYS`.',
  }),
  maxConnections: field.integer('STARLING_INGRESS_CONNECTIONS', {
    default: 4_096,
    min: 1,
    max: 100_000,
    doc: 'Open connections of one ingress; a further one is closed at once. Each costs some kB even when idle.',
  }),
  maxInFlight: field.integer('STARLING_INGRESS_IN_FLIGHT', {
    default: 1_024,
    min: 1,
    max: 100_000,
    doc: 'Requests that one ingress has in hand at once, up to 1 MiB each while they arrive. More are refused with 429, to be asked again.',
  }),
  maxInFlightPerKey: field.integer('STARLING_INGRESS_IN_FLIGHT_PER_KEY', {
    default: 256,
    min: 1,
    max: 100_000,
    doc: 'Requests of one API key that one ingress has in hand at once: one caller cannot take the whole front door.',
  }),
  headerTimeoutMs: field.integer('STARLING_INGRESS_HEADER_TIMEOUT_MS', {
    default: 10_000,
    min: 100,
    max: 60_000,
    unit: 'milliseconds',
    doc: 'How long the head of a request may take to arrive. Shorter frees connections of slow attackers sooner.',
  }),
  bodyTimeoutMs: field.integer('STARLING_INGRESS_BODY_TIMEOUT_MS', {
    default: 30_000,
    min: 100,
    max: 300_000,
    unit: 'milliseconds',
    doc: 'How long a whole request may take to arrive, head and body. Longer forgives slow uplinks.',
  }),
  keepAliveMs: field.integer('STARLING_INGRESS_KEEP_ALIVE_MS', {
    default: 75_000,
    min: 0,
    max: 600_000,
    unit: 'milliseconds',
    doc: 'How long an idle connection is kept. Longer than the idle time of the load balancer in front (often 60 s), or its next request meets a closed door.',
  }),
  requestTimeoutMs: field.integer('STARLING_INGRESS_REQUEST_TIMEOUT_MS', {
    default: 120_000,
    min: 1_000,
    max: 600_000,
    unit: 'milliseconds',
    doc: 'The whole time of one request, waiting and answering: the deadline of its job. After it the caller gets an honest failure.',
  }),
  readerStallMs: field.integer('STARLING_INGRESS_READER_STALL_MS', {
    default: 30_000,
    min: 100,
    max: 600_000,
    unit: 'milliseconds',
    doc: 'A caller that takes nothing for this long while text waits for it is cut off and its job cancelled.',
  }),
  submitTimeoutMs: field.integer('STARLING_INGRESS_SUBMIT_TIMEOUT_MS', {
    default: 1_000,
    min: 50,
    max: 30_000,
    unit: 'milliseconds',
    doc: 'How long a balancer may take to accept a job before another one is asked. Shorter leaves a stuck balancer sooner, longer forgives a pause.',
  }),
  defaultCompletionTokens: field.integer('STARLING_INGRESS_DEFAULT_TOKENS', {
    default: 1_024,
    min: 1,
    max: 32_000,
    unit: 'LLM tokens',
    doc: 'Longest answer of a request that does not say. It counts in full in the fair queue until the answer ends.',
  }),
  maxCompletionTokens: field.integer('STARLING_INGRESS_MAX_TOKENS', {
    default: 8_192,
    min: 1,
    max: 32_000,
    unit: 'LLM tokens',
    doc: 'Longest answer that a request may ask for. Higher lets one caller hold a slot longer.',
  }),
  drainDeadlineMs: field.integer('STARLING_INGRESS_DRAIN_MS', {
    default: 60_000,
    min: 0,
    max: 600_000,
    unit: 'milliseconds',
    doc: 'How long an ingress that was told to stop may finish its answers. What is left then is broken off, its jobs cancelled.',
  }),
} as const;
