/** Kill -9 of processes and servers. Each resolves with what it struck when that is back. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { connectRedis } from '@starling/redis';
import { childProcesses, workingFolder } from './child-processes.ts';
import { choosePart, type FaultSite, NoTargetError, recovered, replaced } from './fault-site.ts';

/** Kills one process whose part's name begins so. */
export async function killPart(site: FaultSite, prefix: string): Promise<string> {
  const part = choosePart(site, prefix);
  process.kill(part.pid, 'SIGKILL');
  await replaced(site, part);
  return part.name;
}

/** Kills several at once. */
export async function killTogether(site: FaultSite, names: readonly string[]): Promise<string> {
  const parts = names.map((name) => choosePart(site, name));
  for (const { pid } of parts) process.kill(pid, 'SIGKILL');
  await Promise.all(parts.map((part) => replaced(site, part)));
  return names.join(' and ');
}

/**
 * Kills one child of the bot, the process of one cluster: the one that runs longest, so that each has
 * its turn. Back when every shard is connected again.
 */
export async function killCluster(site: FaultSite): Promise<string> {
  const bot = choosePart(site, 'bot');
  const children = await childProcesses(bot.pid);
  const shards = await site.discord.liveShards();
  const [pid] = children;
  if (pid === undefined) throw new NoTargetError('the bot has no child to strike');
  process.kill(pid, 'SIGKILL');
  await recovered(site, 'a cluster of the bot', async () => {
    const now = await childProcesses(bot.pid);
    return (
      now.length === children.length &&
      !now.includes(pid) &&
      (await site.discord.liveShards()) >= shards
    );
  });
  return `cluster, process ${pid}`;
}

/** Kills Redis and takes its files away, so that it comes back with nothing. */
export async function emptyRedis(site: FaultSite): Promise<string> {
  const redis = choosePart(site, 'redis');
  const folder = await workingFolder(redis.pid);
  // Stopped first: nothing is served between the end of its data and its own.
  process.kill(redis.pid, 'SIGSTOP');
  try {
    for (const name of await readdir(folder)) {
      await rm(join(folder, name), { recursive: true, force: true });
    }
  } finally {
    process.kill(redis.pid, 'SIGKILL');
  }
  await replaced(site, redis);
  return 'redis, its files gone';
}

const redisTimeouts = { commandTimeoutMs: 2_000, connectTimeoutMs: 10_000 };

/** Empties Redis while it serves, as an operator might. */
export async function flushRedis(site: FaultSite): Promise<string> {
  const { clock, signal } = site;
  const { detail: url } = choosePart(site, 'redis');
  await using redis = await connectRedis({ ...redisTimeouts, url, clock, signal });
  await Promise.all([redis.command('FLUSHALL'), redis.command('SCRIPT', 'FLUSH')]);
  return 'redis, its data and scripts';
}
