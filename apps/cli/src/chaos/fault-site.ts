import type { Clock, Random } from '@starling/clock';
import type { FleetPart, RunningFleet } from '../fleet/fleet.ts';
import type { CuttableLink } from './cuttable-link.ts';
import type { DiscordSide } from './discord-side.ts';
import type { TargetChoice } from './target-choice.ts';

/** Where a fault strikes: the running fleet from outside, its processes, links and counterparts. */
export interface FaultSite {
  readonly fleet: Pick<RunningFleet, 'parts'>;
  readonly discord: DiscordSide;
  /** Between each worker and NATS, by the worker's name; empty when no fault of the run needs them. */
  readonly links: ReadonlyMap<string, CuttableLink>;
  readonly choice: TargetChoice;
  readonly random: Random;
  readonly clock: Clock;
  /** How long a pause or a cut lasts, milliseconds. */
  readonly holdMs: number;
  readonly signal: AbortSignal;
}

/** There is nothing to strike: no process of that name runs, or each had its share. */
export class NoTargetError extends Error {
  override readonly name = 'NoTargetError';
}

/** What was struck did not come back. */
export class NotRecoveredError extends Error {
  override readonly name = 'NotRecoveredError';
}

/** A part that runs, which can be told from its successor by its process. */
export type LivePart = FleetPart & { readonly pid: number };

/** A cluster that died a third time may wait for 20 s, and then for identify lanes. */
const recoveryMs = 60_000;
const lookEveryMs = 50;

/** The part of a name, if it runs. */
function livePart(site: Pick<FaultSite, 'fleet'>, name: string): LivePart | undefined {
  const part = site.fleet.parts().find((candidate) => candidate.name === name);
  return part?.pid === undefined ? undefined : { ...part, pid: part.pid };
}

/**
 * One running part whose name begins so, counted as struck.
 * @throws {NoTargetError}
 */
export function choosePart(site: FaultSite, prefix: string): LivePart {
  const names = site.fleet
    .parts()
    .filter(({ name, pid }) => name.startsWith(prefix) && pid !== undefined)
    .map(({ name }) => name);
  const name = site.choice.choose(names);
  const part = name === undefined ? undefined : livePart(site, name);
  if (part) return part;
  throw new NoTargetError(`no ${prefix}… is left to strike`);
}

/**
 * Waits until something holds again.
 * @throws {NotRecoveredError} when it does not in {@link recoveryMs}
 */
export async function recovered(
  site: Pick<FaultSite, 'clock' | 'signal'>,
  what: string,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  const { clock, signal } = site;
  const giveUpAtMs = clock.monotonicMs() + recoveryMs;
  while (!(await holds())) {
    if (clock.monotonicMs() >= giveUpAtMs) {
      throw new NotRecoveredError(`${what} was not back after ${recoveryMs / 1000} s`);
    }
    await clock.sleep(lookEveryMs, { signal });
  }
}

/** Waits until a part runs in another process than before. @throws {NotRecoveredError} */
export function replaced(site: FaultSite, { name, pid }: LivePart): Promise<void> {
  return recovered(site, name, () => {
    const now = livePart(site, name)?.pid;
    return now !== undefined && now !== pid;
  });
}
