import { connectNats } from '@starling/bus';
import { systemClock as clock, systemRandom as random } from '@starling/clock';
import {
  balancerId,
  decode,
  encode,
  frameContract,
  type Job,
  jobContract,
  type Result,
  subjects,
  workerId,
} from '@starling/contracts';
import { type DiscordEmulator, startDiscordEmulator } from '@starling/discord-emulator/testing';
import {
  type RunningApp,
  type RunningServer,
  spawnApp,
  startNatsServer,
  startRedisServer,
} from '@starling/harness';
import { openJobs } from '@starling/roles/bot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const w0 = workerId.parse('w0');
const entry = new URL('../src/main.ts', import.meta.url);

let stack: AsyncDisposableStack;
let emulator: DiscordEmulator;
let nats: RunningServer;
let redis: RunningServer;
let settings: Record<string, string>;
/** Jobs that the test's worker has taken; it answers while `answering`. */
let taken: Job[];
let answering: boolean;

/** A worker that says which cluster asked, until it is disposed. */
async function startEcho(): Promise<AsyncDisposable> {
  await using opening = new AsyncDisposableStack();
  const bus = opening.use(
    await connectNats({ url: nats.url, name: 'test', connectTimeoutMs: 10_000, clock }),
  );
  const { ledger, store } = await openJobs({ bus, clock });
  const ended = new AbortController();
  const answer = async (stored: number) => {
    const message = await store.read(stored);
    const job = message && decode(jobContract, message.payload);
    if (!job?.ok || job.value.origin.kind !== 'discord') return;
    const { acceptedAtMs, jobId, messages, origin } = job.value;
    const { clusterId } = job.value.origin;
    const claim = await ledger.claim(jobId, { workerId: w0, attempt: 1 });
    if (claim.kind === 'lost') return;
    taken.push(job.value);
    while (!answering && !ended.signal.aborted) await clock.sleep(20);
    const result: Result = {
      ...{ jobId, attempt: 1, origin, acceptedAtMs },
      outcome: {
        kind: 'done',
        text: `${clusterId} heard: ${messages.at(-1)?.content}`,
        model: 'toy',
        finishReason: 'stop',
        usage: { promptTokens: 1, completionTokens: 1, estimated: true },
        frames: 0,
      },
      timings: { queueMs: 1, dispatchMs: 1, llmMs: 1 },
      dispatchedBy: balancerId.parse('b0'),
      servedBy: w0,
    };
    const end = { kind: 'end', attempt: 1, workerId: w0, atMs: clock.nowMs(), result } as const;
    const written = await ledger.end(jobId, end, claim.revision);
    if (written.kind !== 'ended') return;
    const last = { jobId, attempt: 1, sequence: 0, text: '' };
    const frame = encode(frameContract, { ...last, end: { revision: written.revision, stored } });
    bus.messaging.publish(subjects.frame(clusterId, jobId, 1), frame);
  };
  const working = new Set<Promise<void>>();
  opening.defer(async () => {
    ended.abort();
    await Promise.all(working);
  });
  const feed = await store.feed({
    stored({ sequence }) {
      const one = answer(sequence)
        .catch(() => {})
        .finally(() => working.delete(one));
      working.add(one);
    },
  });
  opening.use(feed);
  return opening.move();
}

const startBot = (difference: Record<string, string> = {}) =>
  spawnApp({ entry, env: { ...settings, ...difference }, readyTimeoutMs: 60_000 });

async function say(input: object): Promise<string> {
  const body = JSON.stringify({ mention: true, ...input });
  const response = await fetch(`${emulator.restUrl}/people/say`, { method: 'POST', body });
  return String(((await response.json()) as { messageId: string }).messageId);
}

async function answerTo(messageId: string): Promise<string> {
  const query = new URLSearchParams({ messageId, timeoutMs: '20000', quietMs: '200' });
  const response = await fetch(`${emulator.restUrl}/people/answer?${query}`);
  return ((await response.json()) as { text: string }).text;
}

/** A guild whose events go to this shard of four. */
const guildOfShard = (shard: number) => {
  const guild = [...emulator.world.guildIds()].find(
    (id) => Number((BigInt(id) >> 22n) % 4n) === shard,
  );
  if (!guild) throw new Error(`no guild of the world is on shard ${shard}`);
  return guild;
};

/** The processes of clusters that a bot told with its readiness. */
const clustersOf = (bot: RunningApp) => bot.readiness.clusters as readonly number[];

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('the bot process', () => {
  beforeAll(async () => {
    stack = new AsyncDisposableStack();
    [nats, redis] = await Promise.all([startNatsServer(), startRedisServer()]);
    stack.use(nats);
    stack.use(redis);
    emulator = stack.use(
      await startDiscordEmulator({
        ...{ clock, random, world: { guilds: 40 } },
        // One bot after the other starts here, sooner than Discord would have it.
        knobs: { identifyIntervalMs: 200 },
      }),
    );
    taken = [];
    answering = true;
    stack.use(await startEcho());
    settings = {
      DISCORD_TOKEN: emulator.botToken,
      DISCORD_API_URL: `${emulator.restUrl}/api`,
      NATS_URL: nats.url,
      REDIS_URL: redis.url,
      STARLING_SHARDS_PER_CLUSTER: '2',
      STARLING_LOG_LEVEL: 'warn',
      STARLING_CLUSTER_HEARTBEAT_MS: '500',
    };
  });
  afterAll(async () => {
    await stack.disposeAsync();
  });

  it('serves four shards in two clusters, each answering for its guilds, nobody too often [F1] [D1]', async () => {
    await using bot = await startBot({ STARLING_USER_PER_MINUTE: '1' });
    expect(clustersOf(bot)).toHaveLength(2);
    const asked = await Promise.all([
      say({ content: 'one', guildId: guildOfShard(0) }),
      say({ content: 'two', guildId: guildOfShard(3) }),
      say({ content: 'three', dm: true, mention: false }),
    ]);
    expect(await Promise.all(asked.map(answerTo))).toEqual([
      'c0 heard: one',
      'c1 heard: two',
      'c0 heard: three',
    ]);
    const tooMany = await say({ content: 'four', guildId: guildOfShard(3) });
    expect(await answerTo(tooMany)).toMatch(/^You have asked a lot in a short time/);
    expect(bot.output()).not.toContain(emulator.botToken);
    const ended = await bot.stop();
    expect(ended).toMatchObject({ code: 0 });
    expect(clustersOf(bot).filter(isAlive)).toEqual([]);
    expect(emulator.record.query().violations).toEqual([]);
  });

  it('finishes on SIGTERM what it has begun, then ends', async () => {
    await using bot = await startBot();
    answering = false;
    const asked = await say({ content: 'slow', guildId: guildOfShard(1) });
    await expect.poll(() => taken.at(-1)?.jobId, { timeout: 10_000 }).toBe(asked);
    const stopping = bot.stop();
    answering = true;
    expect(await answerTo(asked)).toBe('c0 heard: slow');
    expect(await stopping).toMatchObject({ code: 0 });
    expect(emulator.record.query().violations).toEqual([]);
  });

  it('replaces a cluster that was killed, whose answer is then given once [A6]', async () => {
    await using bot = await startBot();
    answering = false;
    const asked = await say({ content: 'survive', guildId: guildOfShard(2) });
    await expect.poll(() => taken.at(-1)?.jobId, { timeout: 10_000 }).toBe(asked);
    const killed = clustersOf(bot)[1] ?? 0;
    process.kill(killed, 'SIGKILL');
    answering = true;
    const query = `messageId=${asked}&timeoutMs=45000&quietMs=500`;
    const response = await fetch(`${emulator.restUrl}/people/answer?${query}`);
    expect(await response.json()).toMatchObject({ text: 'c1 heard: survive', answered: true });
    const { violationCounts } = emulator.record.query();
    expect(violationCounts.answered_twice).toBeUndefined();
    expect(violationCounts.identify_too_early).toBeUndefined();
  });

  it('takes its clusters with it when it is killed itself', async () => {
    await using bot = await startBot();
    const pids = clustersOf(bot);
    await bot.kill();
    await expect.poll(() => pids.filter(isAlive), { timeout: 15_000 }).toEqual([]);
  });

  it('says what is wrong with its settings, and leaves nothing behind', async () => {
    const failure = async (difference: Record<string, string>) =>
      startBot(difference).then(
        () => 'it started',
        (error: Error) => error.message,
      );
    expect(await failure({ DISCORD_TOKEN: 'x'.repeat(60) })).toMatch(
      /ended with 2[\s\S]*DISCORD_TOKEN=\(hidden\): Discord does not accept the bot token/,
    );
    expect(await failure({ DISCORD_TOKEN: '' })).toMatch(/ended with 2[\s\S]*DISCORD_TOKEN=/);
    expect(
      await failure({ REDIS_URL: 'redis://127.0.0.1:1', STARLING_CONNECT_TIMEOUT_MS: '200' }),
    ).toMatch(/Redis at 127\.0\.0\.1:1 cannot be reached/);
  });
});
