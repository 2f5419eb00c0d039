/** Every setting of Starling, by the part that reads it. */
import { field } from './parse.ts';

/** Where NATS is. */
export const natsSection = {
  url: field.url('NATS_URL', {
    default: 'nats://127.0.0.1:4222',
    protocols: ['nats:', 'tls:'],
    doc: 'The NATS server that carries jobs, frames and load reports. `npm start` sets it.',
  }),
  connectTimeoutMs: field.integer('STARLING_CONNECT_TIMEOUT_MS', {
    default: 15_000,
    min: 100,
    max: 600_000,
    unit: 'milliseconds',
    doc: 'How long a process waits at start for NATS and Redis before it gives up with a clear error. Longer survives slow start-ups, shorter reports a wrong address sooner.',
  }),
} as const;

/** Where Redis is. */
export const redisSection = {
  url: field.url('REDIS_URL', {
    default: 'redis://127.0.0.1:6379',
    protocols: ['redis:', 'rediss:'],
    doc: 'The Redis server that keeps conversations and the bounds on queued work. `npm start` sets it.',
  }),
  commandTimeoutMs: field.integer('STARLING_REDIS_COMMAND_TIMEOUT_MS', {
    default: 200,
    min: 10,
    max: 10_000,
    unit: 'milliseconds',
    doc: 'A Redis command that takes longer counts as failed. Shorter keeps answers quick while Redis is stuck, longer tolerates a slow disk.',
  }),
} as const;

/** The local fleet that `npm start` runs. */
export const localSection = {
  portBase: field.integer('STARLING_PORT_BASE', {
    default: 47_000,
    min: 1024,
    max: 65_000,
    doc: 'First of the six loopback ports that `npm start` uses: control, NATS, Redis, Discord emulator (REST, gateway), provider emulator. Change it when another program has one of them.',
  }),
  balancers: field.integer('STARLING_BALANCERS', {
    default: 2,
    min: 1,
    max: 8,
    doc: 'Balancer processes of the local fleet. One is enough for the load; two show that none is special.',
  }),
  workers: field.integer('STARLING_WORKERS', {
    default: 2,
    min: 1,
    max: 32,
    doc: 'Worker processes of the local fleet. More run more answers at once and take about 100 MB each.',
  }),
  directory: field.text('STARLING_DIR', {
    default: '.run',
    doc: 'Folder for the run file, logs and, with a real Discord, the data of NATS and Redis.',
  }),
} as const;

/** Traces, metrics and the log of a process. */
export const telemetrySection = {
  logLevel: field.oneOf('STARLING_LOG_LEVEL', {
    default: 'info',
    values: ['debug', 'info', 'warn', 'error'],
    doc: 'The least grave events that are written. `debug` shows each step and costs time under load, `warn` keeps a busy fleet quiet.',
  }),
  logFormat: field.oneOf('STARLING_LOG_FORMAT', {
    default: 'auto',
    values: ['auto', 'pretty', 'json'],
    doc: 'Lines for people or JSON, one line each, on standard error. `auto` takes `pretty` on a terminal.',
  }),
  logFile: field.text('STARLING_LOG_FILE', {
    default: undefined,
    accepts: 'path',
    doc: 'Also appends the log to this file, as JSON. It is never rotated.',
  }),
  otlpEndpoint: field.url('OTEL_EXPORTER_OTLP_ENDPOINT', {
    default: undefined,
    protocols: ['http:', 'https:'],
    doc: 'Sends traces and metrics to this OTLP collector, for example `http://127.0.0.1:4318`. Unset, nothing leaves the process.',
  }),
  metricsExporter: field.oneOf('OTEL_METRICS_EXPORTER', {
    default: 'otlp',
    values: ['otlp', 'none'],
    doc: '`none` for a collector that takes traces only, such as Jaeger.',
  }),
} as const;

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

/** The emulated LLM providers. */
export const llmEmulatorSection = {
  host: field.text('STARLING_LLM_EMULATOR_HOST', {
    default: '127.0.0.1',
    accepts: 'address',
    doc: 'The address that the provider emulator listens on. It has no lock on its control endpoints: leave loopback only inside a closed network.',
  }),
  port: field.integer('STARLING_LLM_EMULATOR_PORT', {
    default: 0,
    min: 0,
    max: 65_535,
    doc: 'The port of the provider emulator; 0 takes a free one and tells it with readiness. `npm start` sets it.',
  }),
  acceptedKeys: field.text('STARLING_LLM_EMULATOR_KEYS', {
    default: undefined,
    accepts: 'keys, separated by commas',
    secret: true,
    doc: 'The only keys that the provider emulator lets in. Unset lets everybody in, also without a key.',
  }),
  seed: field.integer('STARLING_LLM_EMULATOR_SEED', {
    default: 0,
    min: 0,
    max: 4_294_967_295,
    doc: 'Repeats the latencies and the faults of an earlier run, request by request in order of arrival; 0 draws anew each run.',
  }),
  timeScalePercent: field.integer('STARLING_LLM_EMULATOR_TIME_PERCENT', {
    default: 100,
    min: 0,
    max: 100_000,
    unit: 'per cent',
    doc: 'Every latency of the emulated models, in per cent of its own: 10 answers ten times faster, 0 at once, at the cost of being unlike a provider.',
  }),
  recordRequestsMax: field.integer('STARLING_LLM_EMULATOR_RECORD_MAX', {
    default: 20_000,
    min: 1,
    max: 1_000_000,
    unit: 'requests',
    doc: 'How many requests the emulator keeps one by one, about 500 bytes each; limits are judged over these. More judges longer runs and takes memory.',
  }),
} as const;

/** The bot: its account, its shards, how it answers. Its token reaches bot processes only. */
export const botSection = {
  botToken: field.text('DISCORD_TOKEN', {
    default: undefined,
    secret: true,
    pattern: /^\S{20,200}$/,
    accepts: 'the bot token of discord.com/developers/applications, without "Bot "',
    doc: 'The bot account. Unset, `npm start` plays Discord with its emulator.',
  }),
  apiUrl: field.url('DISCORD_API_URL', {
    default: 'https://discord.com/api',
    protocols: ['http:', 'https:'],
    doc: "Discord's REST API without its version; `npm start` points it at the emulator.",
  }),
  shards: field.text('STARLING_SHARDS', {
    default: 'auto',
    pattern: /^(?:auto|[1-9]\d{0,4})$/,
    accepts: '`auto` or a number from 1 to 99999',
    doc: 'Gateway connections of the whole bot. `auto` asks Discord; more than that leaves room to grow and costs an IDENTIFY each.',
  }),
  shardsPerCluster: field.integer('STARLING_SHARDS_PER_CLUSTER', {
    default: 4,
    min: 1,
    max: 64,
    doc: 'Shards of one child process. More share its memory, fewer lose less when it dies.',
  }),
  messageContent: field.flag('STARLING_MESSAGE_CONTENT', {
    default: false,
    doc: 'Asks for the privileged message-content intent. Without it mentions and direct messages work; with it also replies that do not notify the bot.',
  }),
  requestsPerSecond: field.integer('STARLING_DISCORD_REQUESTS_PER_SECOND', {
    default: 45,
    min: 1,
    max: 5_000,
    doc: "REST calls a second of one bot instance, shared out evenly over its clusters. Discord's own limit is 50 unless it was raised; above it every call is refused.",
  }),
  persona: field.text('STARLING_PERSONA', {
    default:
      'You are Starling, a helpful assistant in a Discord chat. Answer in the language you are asked in. Be brief unless asked for detail. Use Discord Markdown.',
    accepts: 'text',
    doc: 'The system prompt. It stands first and unchanged in every request, so that a prompt cache of the provider hits.',
  }),
  maxTextLength: field.integer('STARLING_MAX_TEXT_LENGTH', {
    default: 4_000,
    min: 1,
    max: 4_000,
    unit: 'characters',
    doc: 'The longest message that is read; longer ones are refused calmly. 4 000 is what Discord lets anyone write.',
  }),
  routeBudgetMs: field.integer('STARLING_ROUTE_BUDGET_MS', {
    default: 100,
    min: 1,
    max: 10_000,
    unit: 'milliseconds',
    doc: 'What the router may take; beyond it a message is answered with its history alone.',
  }),
  contextDmTokens: field.integer('STARLING_CONTEXT_DM_TOKENS', {
    default: 800,
    min: 0,
    max: 100_000,
    unit: 'LLM tokens',
    doc: 'History and quoted messages in a direct message. More remembers more and costs more.',
  }),
  contextGuildTokens: field.integer('STARLING_CONTEXT_GUILD_TOKENS', {
    default: 1_200,
    min: 0,
    max: 100_000,
    unit: 'LLM tokens',
    doc: "The same in a guild's channel, where several people speak.",
  }),
  historyMessages: field.integer('STARLING_HISTORY_MESSAGES', {
    default: 20,
    min: 2,
    max: 200,
    doc: 'Messages remembered of a channel, questions and answers together.',
  }),
  conversationTtlMs: field.integer('STARLING_CONVERSATION_TTL_MS', {
    default: 86_400_000,
    min: 1_000,
    max: 2_592_000_000,
    unit: 'milliseconds',
    doc: 'A channel that is quiet for this long is forgotten. Longer remembers over days, shorter keeps less about people.',
  }),
  maxCompletionTokens: field.integer('STARLING_MAX_COMPLETION_TOKENS', {
    default: 1_000,
    min: 1,
    max: 32_000,
    unit: 'LLM tokens',
    doc: 'The longest answer. More lets the model finish long texts and makes every slot busy for longer.',
  }),
  jobDeadlineMs: field.integer('STARLING_JOB_DEADLINE_MS', {
    default: 60_000,
    min: 500,
    max: 600_000,
    unit: 'milliseconds',
    doc: 'From acceptance to the answer. Shorter tells a user sooner that there will be none, longer rides out a slow provider.',
  }),
  resultGraceMs: field.integer('STARLING_RESULT_GRACE_MS', {
    default: 5_000,
    min: 0,
    max: 60_000,
    unit: 'milliseconds',
    doc: 'How long after the deadline a result is still waited for before the user reads of a failure; the worker ends at the deadline and tells it on the way.',
  }),
  acceptRetryMs: field.integer('STARLING_ACCEPT_RETRY_MS', {
    default: 5_000,
    min: 0,
    max: 60_000,
    unit: 'milliseconds',
    doc: 'How long a question is held while NATS is away before it is refused calmly.',
  }),
  jobsPerUser: field.integer('STARLING_JOBS_PER_USER', {
    default: 3,
    min: 1,
    max: 1_000,
    doc: 'Questions of one user that may wait or be answered at once. More lets a user fill the queue, fewer makes quick ones wait for slow ones.',
  }),
  jobsPerGuild: field.integer('STARLING_JOBS_PER_GUILD', {
    default: 30,
    min: 1,
    max: 10_000,
    doc: 'The same for all users of one guild together.',
  }),
  answersPerCluster: field.integer('STARLING_ANSWERS_PER_CLUSTER', {
    default: 1_000,
    min: 1,
    max: 100_000,
    doc: 'Answers that one cluster has open at once; further questions are refused as busy. Each takes some 20 kB.',
  }),
  editIntervalMs: field.integer('STARLING_EDIT_INTERVAL_MS', {
    default: 1_000,
    min: 1_000,
    max: 60_000,
    unit: 'milliseconds',
    doc: 'The least time between two edits in one channel while an answer streams. Longer looks slower and spends fewer calls.',
  }),
  drainDeadlineMs: field.integer('STARLING_BOT_DRAIN_MS', {
    default: 25_000,
    min: 0,
    max: 600_000,
    unit: 'milliseconds',
    doc: 'How long a bot that is told to end finishes the answers it has open. Keep it below the grace of whatever stops it.',
  }),
  clusterReadyTimeoutMs: field.integer('STARLING_CLUSTER_READY_TIMEOUT_MS', {
    default: 60_000,
    min: 1_000,
    max: 600_000,
    unit: 'milliseconds',
    doc: 'How long a cluster may take to connect all its shards before it is killed and tried again.',
  }),
  clusterHeartbeatMs: field.integer('STARLING_CLUSTER_HEARTBEAT_MS', {
    default: 5_000,
    min: 100,
    max: 60_000,
    unit: 'milliseconds',
    doc: 'How often a cluster is asked whether it lives; three unanswered in a row and it is replaced. Shorter finds a stuck process sooner, but takes a busy one for stuck.',
  }),
} as const;

/** Which process this is. */
export const instanceSection = {
  id: field.text('STARLING_INSTANCE_ID', {
    default: undefined,
    pattern: /^[A-Za-z0-9_-]{1,64}$/,
    accepts: '1 to 64 letters, digits, `_` and `-`',
    doc: 'Name of this process in the fleet, in traces and in load reports; no two may share one. Unset, it is drawn at each start.',
  }),
} as const;

/** A worker: how much it runs at once, how it streams and delivers. */
export const workerSection = {
  slots: field.integer('STARLING_WORKER_SLOTS', {
    default: 8,
    min: 1,
    max: 1_000,
    doc: 'Answers that one worker runs at once, never more than it has provider connections. More use the provider better, fewer keep each answer quick.',
  }),
  reportEveryMs: field.integer('STARLING_REPORT_EVERY_MS', {
    default: 250,
    min: 10,
    max: 1_000,
    unit: 'milliseconds',
    doc: 'Time between two load reports; a change is reported at once besides. Longer spares messages and makes a lost one cost more.',
  }),
  coalesceMs: field.integer('STARLING_COALESCE_MS', {
    default: 40,
    min: 0,
    max: 1_000,
    unit: 'milliseconds',
    doc: 'Tokens of this long, or 1 kB of them, go out as one frame; the first text goes at once. Longer spares messages, shorter streams smoother.',
  }),
  drainDeadlineMs: field.integer('STARLING_WORKER_DRAIN_MS', {
    default: 60_000,
    min: 0,
    max: 600_000,
    unit: 'milliseconds',
    doc: 'How long a worker that was told to stop may finish what it streams. What is left then is run again by another worker.',
  }),
} as const;

/** A balancer: what it holds, how it asks workers. */
export const balancerSection = {
  maxHeld: field.integer('STARLING_BALANCER_HELD', {
    default: 256,
    min: 1,
    max: 10_000,
    doc: 'Jobs that one balancer has in its hands at once. Everything else waits in the queue, where any balancer can take it.',
  }),
  runTimeoutMs: field.integer('STARLING_RUN_TIMEOUT_MS', {
    default: 1_000,
    min: 50,
    max: 30_000,
    unit: 'milliseconds',
    doc: 'How long a worker may take to say whether it runs a job. Shorter leaves a stuck worker sooner, longer forgives a pause.',
  }),
  maxAttempts: field.integer('STARLING_MAX_ATTEMPTS', {
    default: 4,
    min: 1,
    max: 100,
    doc: 'Deliveries of one job before it is answered with an honest failure: a job that kills its workers must not go round for ever.',
  }),
  drainDeadlineMs: field.integer('STARLING_BALANCER_DRAIN_MS', {
    default: 10_000,
    min: 0,
    max: 600_000,
    unit: 'milliseconds',
    doc: 'How long a balancer that was told to stop may finish its dispatches. What it holds goes back to the queue at once.',
  }),
} as const;

/** How a result reaches the cluster that owns its question. */
export const deliverySection = {
  resultTimeoutMs: field.integer('STARLING_RESULT_TIMEOUT_MS', {
    default: 10_000,
    min: 100,
    max: 60_000,
    unit: 'milliseconds',
    doc: 'How long a cluster may take to show a result before it is sent again. Discord may make it wait some seconds; too short sends twice what is on its way.',
  }),
  resultRetryForMs: field.integer('STARLING_RESULT_RETRY_FOR_MS', {
    default: 60_000,
    min: 1_000,
    max: 600_000,
    unit: 'milliseconds',
    doc: 'How long a result is sent again while its cluster is away. After that the job goes back to the queue.',
  }),
  maxUndelivered: field.integer('STARLING_MAX_UNDELIVERED', {
    default: 256,
    min: 1,
    max: 10_000,
    doc: 'Results that one process holds for clusters that are away, up to 400 kB each. At this many it takes no more work.',
  }),
} as const;
