import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { systemClock } from '@starling/clock';
import { type GuildId, guildId, type JobId, jobId, type UserId, userId } from '@starling/contracts';
import { type RunningServer, startRedisServer } from '@starling/harness';
import { connectRedis, type RedisConnection, type RedisReply } from '@starling/redis';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { admissionStep, type Holds } from '../src/admission-step.ts';
import { createRedisAdmission } from '../src/redis-admission.ts';

const source = readFileSync(new URL('../src/admit.lua', import.meta.url), 'utf8');
const hash = createHash('sha1').update(source).digest('hex');
/** The script as it is, but for what it is told when it asks for the time. */
const onOurTime = `
local seconds, microseconds = ARGV[#ARGV - 1], ARGV[#ARGV]
local server = redis
local redis = { call = function(name, ...)
  if name == 'TIME' then return { seconds, microseconds } end
  return server.call(name, ...)
end }
local function script()
${source}
end
return script()`;

const bounds = { perUser: 2, perGuild: 2 };
const users = [0, 1].map((n) => userId.parse(`40000000000000000${n}`));
const guilds = [0, 1].map((n) => guildId.parse(`30000000000000000${n}`));
const jobs = Array.from({ length: 5 }, (_, n) => jobId.parse(`job-${n}`));

const owner = fc.record({
  job: fc.constantFrom(...jobs),
  user: fc.constantFrom(...users),
  guild: fc.option(fc.constantFrom(...guilds), { nil: undefined }),
});
// Few different lengths, so that holds end in the very millisecond that is looked at; long ones, since
// Redis forgets a key by its own clock.
const holdMs = fc.constantFrom(60_000, 120_000, 300_000);
const passesMs = fc.constantFrom(0, 1, 59_999, 60_000, 60_000, 120_000);
/** No run takes longer. */
const runMs = 30_000;
const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('admit' as const),
        owner,
        holdMs,
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('release' as const), owner }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), passesMs }) },
  ),
  { maxLength: 40 },
);

let server: RunningServer;
let redis: RedisConnection;
beforeAll(async () => {
  server = await startRedisServer();
  const timeouts = { commandTimeoutMs: 2_000, connectTimeoutMs: 10_000 };
  redis = await connectRedis({ url: server.url, ...timeouts, clock: systemClock });
});
afterAll(async () => {
  await redis[Symbol.asyncDispose]();
  await server.stop();
});

describe('the script of admission', () => {
  it('decides on a real Redis as the pure rule does, step by step [B7]', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(999), async (history, microseconds) => {
        await redis.command('FLUSHDB');
        let nowMs = 1_700_000_000_000;
        const timed = onTime(redis, () => [
          Math.floor(nowMs / 1_000),
          (nowMs % 1_000) * 1_000 + microseconds,
        ]);
        const admission = createRedisAdmission({ ...bounds, redis: timed });
        const model = new Model();
        for (const step of history) {
          if (step.kind === 'wait') nowMs += step.passesMs;
          else {
            const { guild, job, user } = step.owner;
            const who = { jobId: job, userId: user, ...(guild && { guildId: guild }) };
            if (step.kind === 'release') {
              await admission.release(who);
              model.release(step.owner);
            } else {
              const decision = await admission.admit(who, { holdMs: step.holdMs });
              expect(decision).toEqual(model.admit(step.owner, step.holdMs, nowMs));
            }
          }
          expect(await standing(nowMs)).toEqual(model.standing(nowMs));
        }
      }),
      { numRuns: 300 },
    );
  });
});

interface Owner {
  readonly job: JobId;
  readonly user: UserId;
  readonly guild: GuildId | undefined;
}

/** The pure rule, with what each owner holds. */
class Model {
  readonly #holds = new Map<string, Holds>();

  admit({ guild, job, user }: Owner, holdMs: number, nowMs: number) {
    const before = { user: this.#of(user), guild: guild && this.#of(guild) };
    const { decision, held } = admissionStep(before, { jobId: job, holdMs, ...bounds }, nowMs);
    this.#holds.set(user, held.user);
    if (guild && held.guild) this.#holds.set(guild, held.guild);
    return decision;
  }

  release({ guild, job, user }: Owner): void {
    for (const holder of [user, guild]) {
      if (holder) this.#holds.set(holder, without(this.#of(holder), job));
    }
  }

  standing(nowMs: number) {
    return [...users, ...guilds].map((holder) =>
      sorted([...this.#of(holder)].filter(([, untilMs]) => untilMs > nowMs)),
    );
  }

  #of(holder: string): Holds {
    return this.#holds.get(holder) ?? new Map();
  }
}

function without(holds: Holds, job: JobId): Holds {
  return new Map([...holds].filter(([held]) => held !== job));
}

function sorted(holds: readonly (readonly [string, number])[]) {
  return [...holds].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** What stands in Redis. Each set is gone by itself once the last of its holds is over. */
async function standing(nowMs: number) {
  const keys = [
    ...users.map((user) => `starling:admission:user:${user}`),
    ...guilds.map((guild) => `starling:admission:guild:${guild}`),
  ];
  return Promise.all(
    keys.map(async (key) => {
      const [flat, leftMs] = await Promise.all([
        redis.command('ZRANGE', key, 0, -1, 'WITHSCORES'),
        redis.command('PTTL', key),
      ]);
      const holds = pairs(flat).filter(([, untilMs]) => untilMs > nowMs);
      const longestMs = Math.max(0, ...holds.map(([, untilMs]) => untilMs - nowMs));
      if (holds.length > 0) expect(leftMs).toBeGreaterThan(longestMs - runMs);
      return sorted(holds);
    }),
  );
}

function pairs(flat: RedisReply): (readonly [string, number])[] {
  const words = Array.isArray(flat) ? flat : [];
  const found: (readonly [string, number])[] = [];
  for (let at = 0; at < words.length; at += 2)
    found.push([String(words[at]), Number(words[at + 1])]);
  return found;
}

/** The connection, but that the script which is sent by its hash is told our time. */
function onTime(connection: RedisConnection, time: () => readonly number[]): RedisConnection {
  return {
    get state() {
      return connection.state;
    },
    command(name, ...args) {
      if (name !== 'EVALSHA') return connection.command(name, ...args);
      const [sent, ...rest] = args;
      expect(sent).toBe(hash);
      return connection.command('EVAL', onOurTime, ...rest, ...time());
    },
    [Symbol.asyncDispose]: async () => {},
  };
}
