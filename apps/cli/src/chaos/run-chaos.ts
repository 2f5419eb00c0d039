/** One scenario from start to verdict: fleet, load, faults, the wait for what is owed. */
import { connectNats } from '@starling/bus';
import { type Clock, seededRandom } from '@starling/clock';
import { AcceptedJobs } from './accepted-jobs.ts';
import type { SeenAnswer } from './answers.ts';
import type { ChaosFleet } from './chaos-fleet.ts';
import { type DiscordKnobs, type DiscordRecord, DiscordSide } from './discord-side.ts';
import { createDeck } from './fault-deck.ts';
import type { ScenarioName } from './fault-kinds.ts';
import { Interruptions, interruptionOf } from './interruptions.ts';
import { type ChaosFacts, wrongOf } from './judge.ts';
import { judgedMessages } from './judged-messages.ts';
import { endsOf, type KnownEnd } from './known-ends.ts';
import { MessageLoad } from './message-load.ts';
import { ProviderSide } from './provider-side.ts';
import { settle } from './settle.ts';
import { createSpeakers } from './speakers.ts';
import { runStrikes, type StrikePlan } from './strikes.ts';
import { TargetChoice } from './target-choice.ts';

/** Messages a second (the chaos scenarios are defined by it). */
export const messagesPerSecond = 20;

export interface ChaosOptions {
  readonly scenario: ScenarioName;
  readonly seed: number;
  /** How long the load lasts; longer when there were not enough strikes by then. */
  readonly seconds: number;
  /** How long a pause or a cut lasts, milliseconds. */
  readonly holdMs: number;
  readonly clock: Clock;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** A run's facts for the judge, and what else is told of it. */
export interface ChaosRun extends ChaosFacts {
  readonly knobs: DiscordKnobs;
  readonly record: DiscordRecord;
  readonly answers: ReadonlyMap<string, SeenAnswer>;
  /** What the ledger says of the messages that went wrong. */
  readonly ends: ReadonlyMap<string, KnownEnd>;
  /** Calls of the model that the provider saw. */
  readonly modelCalls: number;
  readonly loadMs: number;
  readonly settledMs: number;
  /** Messages that `JOBS` ever stored, by its sequence. */
  readonly storedEver: number;
}

/** The longest that a load goes on for the strikes that are still missing. */
const extraMs = 120_000;
/** The load goes on so long after the last strike, to be answered by what came back. */
const afterMs = 2_000;
/** A process that was killed serves again after some 3 s on a busy machine. */
const leastPauseMs = 4_000;
/**
 * Pauses differ by this: a job that was struck runs again after some 4 s, for about 1 s, so that faults
 * at an even distance would meet each of its attempts.
 */
const pauseSpreadMs = 3_000;

/** Runs one scenario on a fleet that nobody else uses. */
export async function runChaos(chaosFleet: ChaosFleet, options: ChaosOptions): Promise<ChaosRun> {
  const { clock, say, scenario, seed, signal } = options;
  const { fleet, links } = chaosFleet;
  const { llmUrl, peopleUrl } = fleet;
  const natsUrl = fleet.parts().find(({ name }) => name === 'nats')?.detail;
  if (!llmUrl || !peopleUrl || !natsUrl) throw new Error('chaos needs the local fleet, simulated');
  const discord = new DiscordSide(peopleUrl);
  const provider = new ProviderSide(llmUrl);
  await provider.setProfile({ seed });
  const knobs = await discord.knobs();
  const speaker = createSpeakers(await discord.guilds());

  await using stack = new AsyncDisposableStack();
  const bus = stack.use(
    await connectNats({ url: natsUrl, name: 'chaos', connectTimeoutMs: 10_000, clock }),
  );
  const gaveUp: string[] = [];
  void fleet.failed.then(({ message }) => gaveUp.push(`the fleet gave up: ${message}`));
  const accepted = new AcceptedJobs(bus);
  const watching = begin(stack, (signal) => accepted.watch({ clock, signal }));
  const loadStartMs = clock.nowMs();
  const interruptions = new Interruptions({ clock, discord, elapsedMs: () => load.elapsedMs() });
  const load: MessageLoad = new MessageLoad({
    clock,
    speaker,
    say: (saying) => discord.say(saying),
    onSaid: (message) => {
      const kind = interruptionOf(message.n);
      if (kind) interruptions.begin(kind, message);
    },
  });
  const sending = begin(stack, (signal) => load.run({ perSecond: messagesPerSecond, signal }));
  say(`load: ${messagesPerSecond} messages a second`);

  const random = seededRandom(seed);
  const choice = new TargetChoice(random);
  const { strikes, troubles } = await runStrikes(planOf(options), {
    clock,
    provider,
    say,
    deck: createDeck(scenario, random),
    elapsedMs: () => load.elapsedMs(),
    stands: () => gaveUp.length === 0,
    site: { fleet, discord, links, random, clock, signal, choice, holdMs: options.holdMs },
  });
  const leftMs = Math.max(afterMs, options.seconds * 1000 - load.elapsedMs());
  await clock.sleep(leftMs, { signal });
  await sending.end();
  const loadMs = load.elapsedMs();
  say(`load: over after ${Math.round(loadMs / 1000)} s; waiting for what is owed`);
  await interruptions.settled();
  const { messages } = load;
  const { done } = interruptions;
  const { answers, settledMs } = await settle({
    ...{ accepted, clock, discord, messages, signal },
    withdrawn: (id) => done.get(id)?.kind === 'delete',
  });
  await watching.end();
  const record = await discord.record();
  const calls = await provider.calls();
  const judged = judgedMessages(messages, {
    ...{ accepted, answers, calls, done, loadStartMs, record },
  });
  const facts = { messages: judged, strikes, stranded: accepted.stored };
  const wrong = judged.filter((message) => wrongOf(message, facts) !== undefined);
  return {
    ...facts,
    ends: await endsOf(wrong, { bus, clock }),
    troubles: [...gaveUp, ...troubles],
    record,
    answers,
    knobs,
    loadMs,
    settledMs,
    unsent: load.unsent,
    modelCalls: [...calls.values()].reduce((sum, { length }) => sum + length, 0),
    storedEver: accepted.lastSequence,
  };
}

/** Starts what runs beside the faults; it ends when told, and with the run in any case. */
function begin(stack: AsyncDisposableStack, run: (signal: AbortSignal) => Promise<void>) {
  const ending = new AbortController();
  const running = run(ending.signal);
  const end = async () => {
    ending.abort();
    await running;
  };
  stack.defer(end);
  return { end };
}

/**
 * A fault about six times in a run, with room for what was struck to come up again between two; in a
 * storm the next one comes as soon as that may be.
 */
function planOf({ scenario, seconds }: ChaosOptions): StrikePlan {
  const sixthMs = (seconds * 1000) / 6;
  const leastMs =
    scenario === 'storm' ? leastPauseMs : Math.min(10_000, Math.max(leastPauseMs, sixthMs));
  return {
    firstAtMs: 3_000,
    pauseMs: { least: leastMs, most: leastMs + pauseSpreadMs },
    untilMs: seconds * 1000 - afterMs,
    untilAtLastMs: seconds * 1000 + extraMs,
  };
}
