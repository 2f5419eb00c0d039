/** Faults that last: a stopped process, a cut network, lost replies. Each ends what it began. */
import { choosePart, type FaultSite, NoTargetError, recovered } from './fault-site.ts';

/** Stops one process whose part's name begins so, and lets it go on as if nothing had happened. */
export async function pausePart(site: FaultSite, prefix: string): Promise<string> {
  const { name, pid } = choosePart(site, prefix);
  process.kill(pid, 'SIGSTOP');
  try {
    await site.clock.sleep(site.holdMs, { signal: site.signal });
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  return name;
}

/** Cuts one worker from NATS; half of the times its connections do not outlive that. */
export async function cutNetwork(site: FaultSite): Promise<string> {
  const { name } = choosePart(site, 'worker-');
  const link = site.links.get(name);
  if (!link || link.connections === 0) throw new NoTargetError(`${name} has no link to cut`);
  const reset = site.random.next() < 0.5;
  link.cut();
  try {
    await site.clock.sleep(site.holdMs, { signal: site.signal });
  } finally {
    link.heal({ reset });
  }
  await recovered(site, `the link of ${name}`, () => link.connections > 0);
  return `${name}, ${reset ? 'its connections reset' : 'what waited sent late'}`;
}

/** Replies lost in one strike, and for how long they are looked for. */
const lostReplies = { times: 5, forMs: 3_000 };

/** Messages are created and their replies lost: by a reset, or behind an error of Discord's edge. */
export async function loseReplies(site: FaultSite): Promise<string> {
  const { choice, clock, discord, signal } = site;
  if (choice.choose(['discord']) === undefined) throw new NoTargetError('enough replies were lost');
  const kind =
    site.random.next() < 0.5
      ? ({ kind: 'reset' } as const)
      : ({ kind: 'server_error', status: 502 } as const);
  await discord.loseReplies({ ...kind, ...lostReplies });
  let hits = 0;
  try {
    await clock.sleep(lostReplies.forMs, { signal });
  } finally {
    hits = await discord.endFaults();
  }
  if (hits === 0) throw new NoTargetError('nothing was posted meanwhile');
  return `${hits} replies, ${kind.kind === 'reset' ? 'by a reset' : 'behind a 502'}`;
}
