/**
 * The real balancer and worker roles on a simulated clock, under faults drawn from a seed. A failing
 * seed runs again by its name: npx vitest run --project sim -t "seed 7"
 */
import { type Random, seededRandom } from '@starling/clock';
import { callKey, type JobId } from '@starling/contracts';
import { answerOf, type FakeStep } from '@starling/llm/testing';
import { describe, expect, it } from 'vitest';
import { Fleet } from './fleet-fixture.ts';

const slots = 3;
const jobs = 60;
const seeds = Array.from({ length: 20 }, (_, index) => index + 1);

const keyOf = (question: string) => callKey.parse(question.replaceAll(' ', '-').padEnd(22, '_'));

/** A crew of workers of which some die, leave or lose messages, and others take their place. */
class Crew {
  readonly #fleet: Fleet;
  readonly #random: Random;
  readonly #serving: string[] = [];
  readonly #roles = new Map<string, Awaited<ReturnType<Fleet['worker']>>['role']>();
  readonly faults = { kill: 0, drain: 0, lose: 0, swallow: 0 };

  constructor(fleet: Fleet, random: Random) {
    this.#fleet = fleet;
    this.#random = random;
  }

  async hire(): Promise<void> {
    const name = `w${this.#roles.size}`;
    const script = (): readonly FakeStep[] => [
      { kind: 'wait', ms: 50 + this.#random.integer(3_000) },
      ...answerOf('An ', 'answer'),
    ];
    const settings = { STARLING_WORKER_SLOTS: String(slots) };
    const { role } = await this.#fleet.worker(name, { script, settings });
    this.#roles.set(name, role);
    this.#serving.push(name);
  }

  /** Something goes wrong with one worker. */
  async strike(): Promise<void> {
    const kinds = ['kill', 'drain', 'lose', 'swallow'] as const;
    const kind = kinds[this.#random.integer(kinds.length)] ?? 'kill';
    const [name] = this.#serving.splice(this.#random.integer(this.#serving.length), 1);
    const role = name === undefined ? undefined : this.#roles.get(name);
    if (name === undefined || !role) return;
    this.faults[kind] += 1;
    if (kind === 'kill') this.#fleet.kill(name);
    else if (kind === 'drain') void role.drain({ signal: new AbortController().signal });
    else if (kind === 'lose') this.#fleet.loseReplies(name, 1 + this.#random.integer(2));
    else this.#fleet.swallowRequests(name, 1 + this.#random.integer(2));
    if (kind === 'lose' || kind === 'swallow') this.#serving.push(name);
    else await this.hire();
  }

  /** No worker ever runs more than it has slots. */
  check(): void {
    for (const role of this.#roles.values()) {
      expect(role.snapshot().running.length).toBeLessThanOrEqual(slots);
    }
  }
}

describe('balancers and workers under faults', () => {
  it.each(seeds)('seed %i: every accepted job ends, none is lost [B5]', async (seed) => {
    const random = seededRandom(seed);
    await using fleet = await Fleet.start();
    const crew = new Crew(fleet, random);
    for (let worker = 0; worker < 4; worker += 1) await crew.hire();
    for (const name of ['b0', 'b1']) await fleet.balancer(name);
    await fleet.clock.advance(300);

    const asked: JobId[] = [];
    while (asked.length < jobs) {
      // Some ask what another one has just asked, and may share its call.
      const question =
        random.next() < 0.3 ? `question ${asked.length - 1}` : `question ${asked.length}`;
      const deadlineAtMs = fleet.clock.nowMs() + 180_000;
      const { jobId } = await fleet.ask(question, { deadlineAtMs, callKey: keyOf(question) });
      asked.push(jobId);
      await fleet.clock.advance(random.integer(400));
      if (random.next() < 0.2) await crew.strike();
      fleet.cluster.delivers = random.next() >= 0.1;
      crew.check();
    }
    fleet.cluster.delivers = true;
    const ended = () => new Set(fleet.cluster.delivered.map(({ jobId }) => jobId));
    await fleet.until(() => ended().size === asked.length);
    await fleet.clock.advance(60_000);
    crew.check();

    expect([...ended()].sort()).toEqual([...asked].sort());
    // Each end is written once: a second last frame would be a second end.
    const finals = fleet.cluster.lastFrames.map(({ jobId }) => jobId);
    expect(finals.filter((jobId, index) => finals.indexOf(jobId) !== index)).toEqual([]);
    expect(await fleet.stores.store.size()).toBe(0);
    expect(Object.values(crew.faults).reduce((sum, count) => sum + count)).toBeGreaterThan(0);
  });
});
