import { BalancerCore } from '@starling/balance';
import { createMemoryBus } from '@starling/bus';
import { SimulatedClock, seededRandom } from '@starling/clock';
import { balancerId, jobId, type LedgerEnd, subjects } from '@starling/contracts';
import { ledgerBucket } from '@starling/jobs';
import { telemetryFor } from '@starling/telemetry';
import { captureTelemetry } from '@starling/telemetry/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LedgerDesk } from '../src/balancer/ledger-desk.ts';
import type { QueuedWork } from '../src/balancer/queued-work.ts';
import { storedWork } from '../src/balancer/stored-work.ts';
import type { Jobs } from '../src/delivery/open-jobs.ts';
import { Fleet } from './fleet-fixture.ts';

const latencyMs = 100;
const jobs = 600;

/** A balancer's core and desk over stores that take their time, and what was asked of them. */
class SlowDesk implements AsyncDisposable {
  readonly clock = new SimulatedClock();
  readonly ended: string[] = [];
  calls = 0;
  /** Calls that were under way at once, at most. */
  most = 0;
  #underWay = 0;
  readonly #captured = captureTelemetry({ clock: this.clock });
  readonly #telemetry = telemetryFor('balancer');
  readonly #works = new Map<string, QueuedWork>();
  readonly #self = balancerId.parse('b0');
  readonly #random = seededRandom(1);
  readonly #core = new BalancerCore({ self: this.#self, random: this.#random });
  readonly #jobs = this.#slowJobs();
  readonly #desk = new LedgerDesk({
    ...{ jobs: this.#jobs, clock: this.clock, random: this.#random, balancerId: this.#self },
    ...{ telemetry: this.#telemetry, config: { resultTimeoutMs: 1, resultRetryForMs: 1 } },
    messaging: createMemoryBus({ clock: this.clock, random: this.#random }).messaging,
    step: (event) => this.#step(event),
    stateOf: (id) => this.#core.stateOf(id),
    isAlone: () => false,
    forget: (id) => this.#step({ kind: 'job_gone', jobId: id }),
  });

  store(number: number): void {
    const id = jobId.parse(`job-${number}`);
    const message = {
      ...{ sequence: number, subject: subjects.job('interactive', id) },
      storedAtMs: this.clock.nowMs(),
      headers: {
        ...{
          'starling-lane': 'interactive',
          'starling-owner': 'c0',
          'starling-token-estimate': '9',
        },
        'starling-user': '200000000000000000',
        'starling-conversation': '300000000000000000',
        'starling-message': '400000000000000000',
        'starling-deadline': String(this.clock.nowMs() + 2_000),
      },
    };
    const parts = { telemetry: this.#telemetry, burials: { add: () => undefined } };
    const stored = storedWork(message, parts);
    if (!stored) throw new Error('no job');
    this.#works.set(id, stored.work);
    this.#step({ kind: 'job_stored', ...stored, arrival: 'backlog' });
  }

  async pass(durationMs: number): Promise<void> {
    for (let passedMs = 0; passedMs < durationMs; passedMs += 250) {
      await this.clock.advance(250);
      this.#step({ kind: 'tick' });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#captured[Symbol.asyncDispose]();
  }

  #step(event: Parameters<BalancerCore['step']>[0]): void {
    for (const effect of this.#core.step(event, this.clock.nowMs())) {
      const work = 'jobId' in effect ? this.#works.get(effect.jobId) : undefined;
      if (work && effect.kind === 'end_failed') this.#desk.fail(work, effect);
    }
  }

  #slowJobs(): Jobs {
    const slowly = async <T>(call: () => T): Promise<T> => {
      this.calls += 1;
      this.#underWay += 1;
      this.most = Math.max(this.most, this.#underWay);
      await this.clock.sleep(latencyMs);
      this.#underWay -= 1;
      return call();
    };
    const end = (id: string, _end: LedgerEnd) =>
      slowly(() => ({ kind: 'ended', revision: this.ended.push(id) }) as const);
    return { store: { read: () => slowly(() => undefined) }, ledger: { end } } as unknown as Jobs;
  }
}

describe('jobs that fail in the same moment', () => {
  it('cost a call each, 50 at once, however slow the stores are [F10] [B7]', async () => {
    await using desk = new SlowDesk();
    for (let number = 1; number <= jobs; number += 1) desk.store(number);
    await desk.pass(750);
    expect(desk.calls).toBe(0);
    await desk.pass(500);
    // Every second the core asks for what has not ended; that costs nothing.
    expect(desk.ended.length).toBeLessThan(jobs / 2);
    await desk.pass(1_500);
    expect(new Set(desk.ended).size).toBe(jobs);
    expect(desk.calls).toBe(jobs);
    expect(desk.most).toBe(50);
  });
});

describe('jobs that several balancers see fail', () => {
  let fleet: Fleet;

  beforeEach(async () => {
    fleet = await Fleet.start();
  });

  afterEach(() => fleet[Symbol.asyncDispose]());

  it('are ended by their homes; the others hear of it and write nothing [B4] [F10]', async () => {
    for (const name of ['b0', 'b1']) await fleet.balancer(name);
    fleet.cluster.delivers = false;
    const deadlineAtMs = fleet.clock.nowMs() + 2_000;
    for (let job = 0; job < 20; job += 1) await fleet.ask('Hi', { deadlineAtMs });
    const create = vi.spyOn(await fleet.bus.openKeyValue(ledgerBucket), 'create');
    await fleet.clock.advance(5_000);
    expect(fleet.cluster.wakes).toHaveLength(20);
    expect(create).toHaveBeenCalledTimes(20);
  });
});
