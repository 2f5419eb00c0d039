import { z } from 'zod';

/** So many in a sliding window. */
const rate = (limit: number, perMs: number) =>
  z
    .strictObject({
      limit: z.int().min(1).max(1_000_000).default(limit),
      perMs: z.int().min(1).max(86_400_000).default(perMs),
    })
    .default({ limit, perMs });
const milliseconds = (value: number) => z.int().min(0).max(86_400_000).default(value);
const isPattern = (text: string) => {
  try {
    return Boolean(new RegExp(text));
  } catch {
    return false;
  }
};
const count = (value: number) => z.int().min(1).max(10_000_000).default(value);

/**
 * What Discord does not publish, or what a run may want to be different: changed at run time through
 * `/control/knobs`. Units stand in the names.
 */
export const knobsSchema = z.strictObject({
  /** Sent in HELLO; Discord's is 41 250 today. */
  heartbeatIntervalMs: z.int().min(50).max(3_600_000).default(41_250),
  /**
   * From the handshake to HELLO, as a network has it. At 0 both may arrive in one read, and clients
   * that drop what follows the handshake (cloudstorm 0.17) never see HELLO.
   */
  helloDelayMs: milliseconds(20),
  /** A heartbeat may come this much later than its interval; then the connection is closed, resumable. */
  heartbeatGraceMs: milliseconds(10_000),
  /** A connection that has not identified by then is closed with 4009; bounds idle connections. */
  identifyTimeoutMs: z.int().min(10).max(3_600_000).default(60_000),
  /** How long a session without a connection can still be resumed ("a few minutes"; 90 s was seen). */
  resumeWindowMs: milliseconds(120_000),
  /** Events kept for each session's replay; older ones are dropped, and a RESUME before them is op 9. */
  replayBufferEvents: count(5000),
  /** IDENTIFYs of one lane (`shard_id % max_concurrency`) stand this far apart. */
  identifyIntervalMs: milliseconds(5000),
  /** IDENTIFYs may come this much early without being refused: the network's jitter. */
  identifyToleranceMs: milliseconds(100),
  /** After this, `session_start_limit.remaining` is full again. */
  sessionStartResetMs: milliseconds(86_400_000),
  /** Gateway sends of one connection, heartbeats included; more closes 4008. */
  sends: rate(120, 60_000),
  /** A larger client frame closes 4002. */
  maxPayloadBytes: count(4096),
  /** More guilds on one shard close 4011. */
  maxGuildsPerShard: count(2500),
  /** Asking for all members of one guild again sooner is answered with RATE_LIMITED. */
  allMembersIntervalMs: milliseconds(30_000),
  /** From op 7 to the server's own close. */
  reconnectGraceMs: milliseconds(5000),
  /** Unsent bytes at which a connection waits for its reader; a reader that falls behind by more
   * than `replayBufferEvents` is dropped and its session ended. */
  maxUnsentBytes: count(1024 * 1024),
  /** Connections at once; one more is closed with 4000. */
  maxConnections: count(4096),
  /** Sessions at once; the one away for longest is dropped, else IDENTIFY is refused with op 9. */
  maxSessions: count(4096),
  /** While true, a close with 1000 or 1001 is no violation: a planned end of the bot. */
  permitClose1000: z.boolean().default(false),

  /** Discord's global REST limit; 500 stands for a bot whose limit Discord has raised. */
  globalPerSecond: count(50),
  /** POST messages, each channel; seen in the field as 5 in 5 s. */
  messagesPerChannel: rate(5, 5000),
  /** PATCH messages, each channel; also what the record judges `edits_over_limit` by. */
  editsPerChannel: rate(5, 5000),
  /** DELETE messages, each channel. */
  deletesPerChannel: rate(5, 1000),
  /** Every other route, each major parameter. */
  otherRoutes: rate(50, 1000),
  /** 401, 403 and 429 (scope `shared` not counted) after which the edge bans, answering HTML. */
  invalidRequests: rate(10_000, 600_000),
  /** An interaction's first response is due by then. */
  interactionAckMs: milliseconds(3000),
  /** An interaction's follow-ups are possible until then. */
  interactionTokenMs: milliseconds(900_000),
  /** `enforce_nonce` finds an earlier message this long ("the past few minutes"). */
  nonceWindowMs: milliseconds(180_000),

  /**
   * A regular expression: a message of the bot with such a text only says that an answer will come, as
   * the "is thinking…" of a deferred response does. Empty: there are none.
   */
  pendingText: z
    .string()
    .max(200)
    .refine(isPattern, 'not a regular expression')
    .default('^(?:Next in line|In line: place \\d+)(?:, about \\d+ \\w+)?$'),
  /** An addressed message without an answer is `unanswered` after this, and merely owed before. */
  answerDueMs: milliseconds(60_000),
  /** Violations kept in full; later ones are only counted. */
  violationsKept: count(10_000),
  /** Addressed messages and interactions remembered; the oldest goes, answered ones first. */
  owedKept: count(50_000),
  /** Messages kept in one channel, and in all; the oldest goes. */
  messagesKeptPerChannel: count(200),
  messagesKept: count(200_000),
  /** Direct-message channels and threads kept; making another is refused. */
  channelsKept: count(200_000),
});

export type Knobs = Readonly<z.output<typeof knobsSchema>>;
export type KnobsInput = z.input<typeof knobsSchema>;

/** The knobs of now. Read `current` at the moment of use: it is replaced as a whole. */
export interface KnobStore {
  readonly current: Knobs;
  /** Changes the named knobs. @throws z.ZodError when a value or a name is wrong; nothing changes */
  set(patch: KnobsInput): void;
}

export function createKnobs(input: KnobsInput = {}): KnobStore {
  let current: Knobs = Object.freeze(knobsSchema.parse(input));
  return {
    get current() {
      return current;
    },
    set(patch) {
      current = Object.freeze(knobsSchema.parse({ ...current, ...patch }));
    },
  };
}
