/** The course of a run's faults: each strikes only while answers stream, one after the other. */
import type { Clock } from '@starling/clock';
import type { FaultDeck } from './fault-deck.ts';
import { type FaultKind, faultKinds } from './fault-kinds.ts';
import { type FaultSite, NoTargetError, NotRecoveredError } from './fault-site.ts';
import type { ProviderSide } from './provider-side.ts';
import { strikeFault } from './strike-fault.ts';

/** A fault that struck. Times are milliseconds since the load began. */
export interface Strike {
  readonly fault: FaultKind;
  readonly target: string;
  /** Answers that streamed, by the provider's record, just before it. */
  readonly streaming: number;
  readonly atMs: number;
  /** When what was struck was back. */
  readonly overMs: number;
}

/** How a run's faults are spread. Times are milliseconds since the load began. */
export interface StrikePlan {
  readonly firstAtMs: number;
  /** From the end of one to the next: drawn between these two, so that no job meets each of them. */
  readonly pauseMs: { readonly least: number; readonly most: number };
  /** No fault strikes later, once there were enough. */
  readonly untilMs: number;
  /** No fault strikes later at all. */
  readonly untilAtLastMs: number;
}

/** Fewer answers than these are no load that a fault could hurt. */
export const minStreaming = 5;
/** A run with fewer strikes has shown nothing. */
export const minStrikes = 3;
const gaugeEveryMs = 40;

export interface StrikeParts {
  readonly deck: FaultDeck;
  readonly site: FaultSite;
  readonly provider: Pick<ProviderSide, 'streaming'>;
  readonly clock: Clock;
  readonly elapsedMs: () => number;
  /** Whether the fleet is still kept alive. */
  readonly stands: () => boolean;
  readonly say: (line: string) => void;
}

/**
 * Strikes until the plan's end, or until nothing is left to strike.
 * @returns what struck, and for each that did not come back a line that says so
 */
export async function runStrikes(
  plan: StrikePlan,
  parts: StrikeParts,
): Promise<{ readonly strikes: readonly Strike[]; readonly troubles: readonly string[] }> {
  const { clock, deck, elapsedMs, say, site } = parts;
  const strikes: Strike[] = [];
  const troubles: string[] = [];
  const mayGoOn = () =>
    parts.stands() &&
    elapsedMs() < (strikes.length < minStrikes ? plan.untilAtLastMs : plan.untilMs);

  await clock.sleep(plan.firstAtMs, { signal: site.signal });
  // A kind that finds no target leaves its turn to the next; all of them in a row end the run's faults.
  for (let misses = 0; mayGoOn() && misses < faultKinds.length; ) {
    const streaming = await enoughStreaming(parts, mayGoOn);
    if (streaming === undefined) break;
    const fault = deck.draw();
    const atMs = elapsedMs();
    let target = fault as string;
    try {
      target = await strikeFault(fault, site);
    } catch (error) {
      if (error instanceof NoTargetError) {
        say(`${seconds(atMs)} ${fault}: ${error.message}`);
        misses += 1;
        continue;
      }
      if (!(error instanceof NotRecoveredError)) throw error;
      troubles.push(`${fault}: ${error.message}`);
    }
    misses = 0;
    const strike = { fault, target, streaming, atMs, overMs: elapsedMs() };
    strikes.push(strike);
    say(
      `${seconds(atMs)} ${fault}: ${target}, while ${streaming} answers streamed; over after ${seconds(strike.overMs - atMs)}`,
    );
    const { least, most } = plan.pauseMs;
    const pauseMs = least + site.random.next() * (most - least);
    if (mayGoOn()) await clock.sleep(pauseMs, { signal: site.signal });
  }
  return { strikes, troubles };
}

/** Waits until enough answers stream; undefined when the plan ended first. */
async function enoughStreaming(
  { clock, provider, site }: StrikeParts,
  mayGoOn: () => boolean,
): Promise<number | undefined> {
  while (mayGoOn()) {
    const streaming = await provider.streaming();
    if (streaming >= minStreaming) return streaming;
    await clock.sleep(gaugeEveryMs, { signal: site.signal });
  }
  return undefined;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
