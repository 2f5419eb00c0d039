import { field } from '../parse.ts';

/** Which language model answers, and how patiently it is called. Only workers read it. */
export const providerSection = {
  openrouterKey: field.text('OPENROUTER_API_KEY', {
    default: undefined,
    secret: true,
    accepts: 'a key of openrouter.ai',
    doc: 'Answers come from OpenRouter. It goes before the other providers when several are set.',
  }),
  openaiBaseUrl: field.url('OPENAI_BASE_URL', {
    default: undefined,
    protocols: ['http:', 'https:'],
    doc: 'Any OpenAI-compatible server with its version path, for example `http://127.0.0.1:8000/v1` (vLLM, llama.cpp, LM Studio).',
  }),
  openaiKey: field.text('OPENAI_API_KEY', {
    default: undefined,
    secret: true,
    accepts: 'a key of that server',
    doc: 'Key for `OPENAI_BASE_URL`; many local servers want none. Alone it selects no provider, so that a key left in the environment spends nothing.',
  }),
  ollamaHost: field.text('OLLAMA_HOST', {
    default: undefined,
    pattern: /^(?:https?:\/\/)?(?:[\w.-]+|\[[0-9a-fA-F:]+\])(?::\d{1,5})?\/?$/,
    accepts: 'host, host:port or URL',
    doc: 'Answers come from this Ollama, by its own API. Port 11434 unless given.',
  }),
  model: field.text('STARLING_MODEL', {
    default: undefined,
    accepts: 'name of a model',
    doc: 'The model that answers when a job names none. Unset: `openrouter/auto` at OpenRouter, `gpt-4o-mini` at an OpenAI-compatible server, `llama3.2` at Ollama.',
  }),
  poolMin: field.integer('STARLING_PROVIDER_POOL_MIN', {
    default: 5,
    min: 0,
    max: 1_000,
    doc: 'Connections kept for the provider even when idle. More of them spare the first answers after a pause a handshake.',
  }),
  poolMax: field.integer('STARLING_PROVIDER_POOL_MAX', {
    default: 20,
    min: 1,
    max: 1_000,
    doc: 'Most connections to the provider, and so most answers streamed by one worker at once. A provider may refuse more.',
  }),
  poolMaxWaiters: field.integer('STARLING_PROVIDER_POOL_WAITERS', {
    default: 20,
    min: 0,
    max: 10_000,
    doc: 'Calls that may wait for a connection. A worker takes no more jobs than it has connections, so more only hides a mistake.',
  }),
  acquireTimeoutMs: field.integer('STARLING_PROVIDER_ACQUIRE_TIMEOUT_MS', {
    default: 2_000,
    min: 1,
    max: 60_000,
    unit: 'milliseconds',
    doc: 'How long a call waits for a connection before it counts as failed.',
  }),
  poolLifetimeMs: field.integer('STARLING_PROVIDER_POOL_LIFETIME_MS', {
    default: 3_600_000,
    min: 1_000,
    max: 86_400_000,
    unit: 'milliseconds',
    doc: 'Age at which a connection is replaced. Shorter follows a change of DNS sooner, longer spares handshakes.',
  }),
  poolIdleMs: field.integer('STARLING_PROVIDER_POOL_IDLE_MS', {
    default: 60_000,
    min: 100,
    max: 3_600_000,
    unit: 'milliseconds',
    doc: "An unused connection is closed after this. Keep it below the provider's own idle time, else requests meet a socket that is being closed.",
  }),
  connectTimeoutMs: field.integer('STARLING_PROVIDER_CONNECT_TIMEOUT_MS', {
    default: 5_000,
    min: 10,
    max: 120_000,
    unit: 'milliseconds',
    doc: 'How long a new connection may take, TLS included.',
  }),
  firstTokenTimeoutMs: field.integer('STARLING_PROVIDER_FIRST_TOKEN_TIMEOUT_MS', {
    default: 8_000,
    min: 10,
    max: 600_000,
    unit: 'milliseconds',
    doc: 'How long the provider may take to its first token. Raise it for a local model that has to be loaded first.',
  }),
  idleTimeoutMs: field.integer('STARLING_PROVIDER_IDLE_TIMEOUT_MS', {
    default: 8_000,
    min: 10,
    max: 600_000,
    unit: 'milliseconds',
    doc: 'How long the provider may pause between two tokens.',
  }),
  totalTimeoutMs: field.integer('STARLING_PROVIDER_TOTAL_TIMEOUT_MS', {
    default: 30_000,
    min: 10,
    max: 3_600_000,
    unit: 'milliseconds',
    doc: 'How long one call may take. It goes on beyond this while tokens come at least once a second.',
  }),
  hardCapMs: field.integer('STARLING_PROVIDER_HARD_CAP_MS', {
    default: 120_000,
    min: 10,
    max: 3_600_000,
    unit: 'milliseconds',
    doc: 'The end of a call even while tokens flow: what a runaway answer may cost.',
  }),
  retries: field.integer('STARLING_PROVIDER_RETRIES', {
    default: 2,
    min: 0,
    max: 10,
    doc: 'Further tries of a call that failed before its first text, with full jitter. More survive a short outage, fewer spare a struggling provider.',
  }),
} as const;
