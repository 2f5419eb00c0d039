/**
 * Who writes what in a run: some guilds all the time, one all at once. In the quiet ones a fourth of the
 * questions repeats one that was asked there a moment ago, and some of these are deleted again.
 */
import type { seededRandom } from '@starling/clock';
import { type CallKey, callKey, type JobId } from '@starling/contracts';
import { exponential, lognormal } from '../kernel/draws.ts';
import type { Cluster } from './cluster.ts';
import type { AskedMessage } from './discord.ts';

type Random = ReturnType<typeof seededRandom>;
type Question = Pick<AskedMessage, 'question' | 'poison'>;

/** What was asked last in a guild. */
interface Asked extends Question {
  readonly jobId: JobId;
  readonly atMs: number;
}

const deadlineMs = 25_000;
/** Of those who want an answer at once: most of them get none, all in the same moment. */
const hastyDeadlineMs = 4_000;
const serviceMs = { mean: 500, sigma: 1 } as const;
const quietGuilds = 8;
const messagesEveryMs = 100;
const poisonShare = 0.002;
const repeated = { share: 0.27, withinMs: 2_000 } as const;
/** Of those who asked what another one then asks too, so many think better of it a moment later. */
const deleted = { share: 0.2, withinMs: 500 } as const;
/** Of those who wait in a long line some give up. */
const takenBack = { share: 0.1, withinMs: 4_000 } as const;
/** Of the questions outside the flood, those that are asked over HTTP. */
const collectedShare = 0.1;

/** Writes until the storm is over. */
export function letPeopleWrite(
  cluster: Cluster,
  random: Random,
  plan: {
    readonly flood: { readonly atMs: number; readonly messages: number };
    readonly hasty: { readonly atMs: number; readonly messages: number };
    readonly stormMs: { readonly from: number; readonly to: number };
  },
): void {
  const { simulation } = cluster;
  const people = new People(cluster, random);
  const next = () => {
    const sinceMs = simulation.nowMs - simulation.startMs;
    if (sinceMs > plan.stormMs.to) return;
    const guildKey = `g${random.integer(quietGuilds)}`;
    people.ask(guildKey, sinceMs > plan.stormMs.from && random.next() < poisonShare);
    simulation.after(exponential(random, messagesEveryMs), next);
  };
  simulation.after(1_000, next);
  simulation.after(plan.flood.atMs, () => {
    for (let n = 0; n < plan.flood.messages; n += 1) {
      const jobId = people.write('loud', people.question(false));
      if (random.next() < takenBack.share) people.takeBack(jobId, takenBack.withinMs);
    }
  });
  simulation.after(plan.hasty.atMs, () => {
    for (let n = 0; n < plan.hasty.messages; n += 1) {
      people.write('hasty', people.question(false), hastyDeadlineMs);
    }
  });
}

class People {
  readonly #cluster: Cluster;
  readonly #random: Random;
  readonly #last = new Map<string, Asked>();
  #questions = 0;
  #messages = 0;

  constructor(cluster: Cluster, random: Random) {
    this.#cluster = cluster;
    this.#random = random;
  }

  /** Somebody asks something new, or what was just asked in this guild. */
  ask(guildKey: string, poison: boolean): void {
    const { nowMs } = this.#cluster.simulation;
    this.#cluster.tally.usual += 1;
    const last = this.#last.get(guildKey);
    const isFresh = last && nowMs - last.atMs < repeated.withinMs;
    const again = this.#random.next() < repeated.share && isFresh ? last : undefined;
    const question = again ?? this.question(poison);
    const jobId = this.write(guildKey, question);
    this.#last.set(guildKey, { ...question, jobId, atMs: nowMs });
    if (!again) return;
    this.#cluster.tally.repeated += 1;
    if (this.#random.next() < deleted.share) this.takeBack(again.jobId, deleted.withinMs);
  }

  question(poison: boolean): Question {
    return { question: `question ${this.#questions++}`, poison };
  }

  write(guildKey: string, { poison, question }: Question, dueMs = deadlineMs): JobId {
    const random = this.#random;
    const { children, discord, simulation } = this.#cluster;
    const { nowMs } = simulation;
    const jobId = `m${this.#messages++}` as JobId;
    const acceptedAtMs = children[0]?.node.nowMs ?? nowMs;
    const message: AskedMessage = {
      header: {
        jobId,
        lane: 'interactive',
        guildKey,
        userKey: `u${random.integer(100)}`,
        tokenEstimate: 200 + random.integer(800),
        callKey: keyOf(guildKey, question),
        acceptedAtMs,
        deadlineAtMs: acceptedAtMs + dueMs,
      },
      question,
      poison,
      collected: guildKey !== 'loud' && random.next() < collectedShare,
      askedAtMs: nowMs,
      serviceMs: Math.min(10_000, lognormal(random, serviceMs)),
    };
    discord.ask(message);
    this.#cluster.checker.asked(jobId, nowMs + dueMs);
    for (const child of children) if (child.node.alive) child.take(message);
    return jobId;
  }

  takeBack(jobId: JobId, withinMs: number): void {
    const { children, simulation } = this.#cluster;
    simulation.after(this.#random.next() * withinMs, () => {
      for (const child of children) child.cancel(jobId);
    });
  }
}

/** What the product makes a hash of. */
function keyOf(guildKey: string, question: string): CallKey {
  return callKey.parse(`${guildKey}-${question.replaceAll(' ', '-')}`.padEnd(22, '-'));
}
