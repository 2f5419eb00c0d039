import { readFileSync } from 'node:fs';
import type { Clock } from '@starling/clock';
import { loadScript, type RedisConnection, RedisError, type RedisReply } from '@starling/redis';
import { type BucketLimit, intervalUsOf, stepOf } from './bucket-limit.ts';
import type { Buckets, Reservation, Told } from './buckets.ts';
import { ServerTime } from './server-time.ts';

const lua = readFileSync(new URL('./buckets.lua', import.meta.url), 'utf8');

/** What a reply tells besides its answer. */
export interface Sight {
  /** Names the store since it was last empty: another one means that what was used is not known there. */
  readonly born: string;
  /** What was held and used in each window of the call, after it. */
  readonly levels: ReadonlyMap<string, number>;
}

/** Where all of it lies in Redis. */
const prefix = 'starling:buckets:';

interface Line {
  readonly key: string;
  readonly limit: BucketLimit;
  readonly amount?: number;
  readonly holdMs?: number;
}

/** The script's answer, read. */
interface Answer {
  readonly word: string;
  readonly retryAfterMs: number;
  /** Number of the first bucket that refuses, from 0. */
  readonly refusing: number;
  readonly levels: readonly number[];
}

/** Buckets shared by all that use one Redis: one script, one round trip a call. */
export function createRedisBuckets(options: {
  readonly redis: RedisConnection;
  readonly clock: Clock;
  /** The connection's command timeout: a reserve that Redis runs later than that is refused there. */
  readonly giveUpMs: number;
  readonly onSight?: (sight: Sight) => void;
}): Buckets {
  const { clock, giveUpMs, onSight, redis } = options;
  const run = loadScript(redis, { name: 'buckets', lua });
  const time = new ServerTime();

  const call = async (
    asked: { readonly op: string; readonly id: string; readonly deadlineMs?: number },
    lines: readonly Line[],
    rest: readonly number[] = [],
  ): Promise<Answer> => {
    const keys = [`${prefix}born`, ...lines.map(({ key }) => prefix + key)];
    const { deadlineMs = 0, id, op } = asked;
    const reply = await run(keys, [op, id, deadlineMs, ...lines.flatMap(wordsOf), ...rest]);
    const [word, serverMs, born, retryAfterMs, refusing, ...levels] = listOf(reply);
    time.learn({ serverMs: Number(serverMs), atMs: clock.monotonicMs() });
    onSight?.({
      born: String(born),
      levels: new Map(lines.map(({ key }, at) => [key, Number(levels[at] ?? 0)])),
    });
    return {
      word: String(word),
      retryAfterMs: Number(retryAfterMs),
      refusing: Number(refusing) - 1,
      levels: levels.map(Number),
    };
  };

  const deadline = async (): Promise<number> => {
    const atMs = clock.monotonicMs() + giveUpMs;
    const known = time.at(atMs);
    if (known !== undefined) return known;
    const [seconds, microseconds] = listOf(await redis.command('TIME'));
    const serverMs = Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
    time.learn({ serverMs, atMs: clock.monotonicMs() });
    return serverMs + giveUpMs;
  };

  return {
    async reserve({ asked, holdMs, id }): Promise<Reservation> {
      const lines = asked.map((ask) => ({ ...ask, holdMs: ask.spent ? 0 : holdMs }));
      // Once more, if it only seemed late: the server's clock was set.
      for (let tries = 1; tries <= 2; tries += 1) {
        const deadlineMs = await deadline();
        const answer = await call({ op: 'reserve', id, deadlineMs }, lines);
        if (answer.word === 'late') continue;
        if (answer.word !== 'refused') {
          return { kind: 'reserved', replay: answer.word === 'replay' };
        }
        const { retryAfterMs } = answer;
        return {
          kind: 'refused',
          key: asked[answer.refusing]?.key ?? '',
          retryAfterMs: retryAfterMs < 0 ? undefined : retryAfterMs,
        };
      }
      throw new RedisError('timeout', 'reserve: it ran too late');
    },
    async settle(id, used) {
      await call({ op: 'settle', id }, used);
    },
    async extend(id, { buckets, holdMs }) {
      const lines = buckets.map((bucket) => ({ ...bucket, holdMs }));
      return (await call({ op: 'extend', id }, lines)).word === 'done';
    },
    async levels(of) {
      return (await call({ op: 'sweep', id: '' }, of)).levels;
    },
    async lower(told: Told) {
      const { blockedMs = 0, forMs, permits = -1, remaining = -1 } = told;
      await call({ op: 'lower', id: '' }, [told], [permits, remaining, forMs, blockedMs]);
    },
  };
}

/** A bucket as the script's six arguments. */
function wordsOf({ amount = 0, holdMs = 0, limit }: Line): readonly (string | number)[] {
  return [...limitWords(limit), amount, holdMs];
}

function limitWords(limit: BucketLimit): readonly (string | number)[] {
  switch (limit.kind) {
    case 'window':
      return ['w', limit.permits, limit.windowMs, stepOf(limit.windowMs)];
    case 'concurrency':
      return ['c', limit.permits, 0, 0];
    case 'period':
      return ['p', limit.permits, limit.endsAtMs, 0];
    case 'rate':
      return ['r', limit.burst, intervalUsOf(limit), 0];
  }
}

function listOf(reply: RedisReply): readonly RedisReply[] {
  if (Array.isArray(reply)) return reply;
  throw new TypeError('the script of the buckets answered something else');
}
