/** One scenario from start to verdict: fleet, load, faults, the wait for what is owed. */
import { connectNats } from '@starling/bus';
import { type Clock, seededRandom } from '@starling/clock';
import { AcceptedJobs } from './accepted-jobs.ts';
import type { SeenAnswer } from './answers.ts';
import type { ChaosFleet } from './chaos-fleet.ts';
import { type DiscordKnobs, type DiscordRecord, DiscordSide } from './discord-side.ts';
import { createDeck } from './fault-deck.ts';
import type { ScenarioName } from './fault-kinds.ts';
import type { ChaosFacts, JudgedMessage } from './judge.ts';
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
  const load = new MessageLoad({ clock, speaker, say: (saying) => discord.say(saying) });
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
  const { messages } = load;
  const { answers, settledMs } = await settle({ accepted, clock, discord, messages, signal });
  await watching.end();
  const record = await discord.record();
  return {
    messages: judged(messages, { accepted, record, answers }),
    strikes,
    troubles: [...gaveUp, ...troubles],
    record,
    answers,
    knobs,
    loadMs,
    settledMs,
    unsent: load.unsent,
    stranded: accepted.stored,
    modelCalls: await provider.calls(),
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
  const sixth = (seconds * 1000) / 6;
  return {
    firstAtMs: 3_000,
    pauseMs: scenario === 'storm' ? leastPauseMs : Math.min(10_000, Math.max(leastPauseMs, sixth)),
    untilMs: seconds * 1000 - afterMs,
    untilAtLastMs: seconds * 1000 + extraMs,
  };
}

function judged(
  messages: MessageLoad['messages'],
  seen: {
    readonly accepted: AcceptedJobs;
    readonly record: DiscordRecord;
    readonly answers: ReadonlyMap<string, SeenAnswer>;
  },
): readonly JudgedMessage[] {
  const owed = new Set(seen.record.owed.map(({ id }) => id));
  return messages.map((message) => {
    const answer = seen.answers.get(message.id);
    const firstTextMs = answer?.firstTextMs ?? null;
    return {
      ...message,
      stored: seen.accepted.ids.has(message.id),
      owed: owed.has(message.id),
      verdict: answer?.verdict ?? 'none',
      ...(firstTextMs !== null && { firstTextMs: message.saidMs - message.dueMs + firstTextMs }),
    };
  });
}
