import { type Bus, BusError, createMemoryBus, type Messaging } from '@starling/bus';
import { SimulatedClock, seededRandom } from '@starling/clock';
import { encode, frameContract, ingressId, jobId, subjects } from '@starling/contracts';
import { activeContext, telemetryFor } from '@starling/telemetry';
import { BalancerRoster } from '../../src/ingress/balancer-roster.ts';
import { parseChatRequest } from '../../src/ingress/chat-request.ts';
import { listenToFleet } from '../../src/ingress/fleet-ears.ts';
import { JobDesk } from '../../src/ingress/job-desk.ts';
import type { Departure, Ending } from '../../src/ingress/open-job.ts';
import { Tally } from '../../src/ingress/tally.ts';
import { FakeHome, type FakeHomeOptions } from '../../src/ingress/testing.ts';
import { FakeReply } from './fake-reply.ts';

/** One request and all that came of it. */
export interface Asked {
  readonly reply: FakeReply;
  readonly endings: Ending[];
  submissions: number;
  leave(why: Departure): void;
}

/** A desk on a simulated clock and the memory bus, with homes by script; the test is its callers. */
export class DeskBench {
  readonly clock: SimulatedClock;
  readonly bus: Bus;
  readonly id = ingressId.parse('ingress-t');
  readonly roster = new BalancerRoster();
  readonly tally = new Tally();
  readonly desk: JobDesk;
  /** True while the bus is away, for the desk alone. */
  away = false;
  #requests = 0;

  private constructor(clock: SimulatedClock, bus: Bus) {
    this.clock = clock;
    this.bus = bus;
    const { id, roster, tally } = this;
    this.desk = new JobDesk({
      ...{ clock, roster, tally, ingressId: id, bus: this.#desksBus() },
      telemetry: telemetryFor('ingress'),
      config: { submitTimeoutMs: 1_000, requestTimeoutMs: 60_000 },
    });
  }

  /** @param fleet the clock and the bus of a fleet that already runs; its own unless given */
  static async start(
    fleet: { readonly clock?: SimulatedClock; readonly bus?: Bus } = {},
  ): Promise<DeskBench> {
    const clock = fleet.clock ?? new SimulatedClock();
    const bus = fleet.bus ?? createMemoryBus({ clock, random: seededRandom(5) });
    const bench = new DeskBench(clock, bus);
    const { desk, id, roster } = bench;
    await listenToFleet(bus.messaging, id, {
      heartbeat: (heartbeat) => {
        if (!bench.away) roster.hear(heartbeat, clock.monotonicMs());
      },
      frame: (frame) => desk.frame(frame),
      result: (result) => desk.result(result),
      returned: (returned) => desk.returned(returned),
    });
    const look = () => {
      clock.schedule(250, look);
      desk.look();
    };
    look();
    return bench;
  }

  /** A home that is heard. */
  async home(options: FakeHomeOptions = {}): Promise<FakeHome> {
    const home = await FakeHome.start(this, options);
    await this.clock.advance(0);
    return home;
  }

  /** Asks; nothing has happened yet when this returns. */
  ask(
    changes: object = {},
    {
      caller = 'tests',
      shares = false,
    }: { readonly caller?: string; readonly shares?: boolean } = {},
  ): Asked {
    const body = { model: 'm', messages: [{ role: 'user', content: 'Hi' }], stream: true };
    const parsed = parseChatRequest(JSON.stringify({ ...body, ...changes }), {
      defaultCompletionTokens: 100,
      maxCompletionTokens: 1_000,
      shares,
    });
    if ('problem' in parsed) throw new Error(parsed.problem.message);
    this.#requests += 1;
    const reply = new FakeReply();
    const endings: Ending[] = [];
    const { leave } = this.desk.ask({
      requestId: `r${this.#requests}`,
      caller,
      request: parsed.request,
      reply,
      context: activeContext(),
      arrivedAtMs: this.clock.monotonicMs(),
      onPlace: () => {},
      onEnded: (ending, submissions) => {
        endings.push(ending);
        asked.submissions = submissions;
      },
    });
    const asked: Asked = { reply, endings, submissions: 0, leave };
    return asked;
  }

  /** A frame out of nowhere. */
  frame(id: string, sequence: number, text: string): void {
    const job = jobId.parse(id);
    this.bus.messaging.publish(
      subjects.frame(this.id, job, 1),
      encode(frameContract, { jobId: job, attempt: 1, sequence, text }),
    );
  }

  /** Moves time on until the condition holds. */
  async until(condition: () => boolean, withinMs = 120_000): Promise<void> {
    const endMs = this.clock.monotonicMs() + withinMs;
    while (!condition()) {
      if (this.clock.monotonicMs() >= endMs) throw new Error('it did not come to that');
      await this.clock.advance(10);
    }
  }

  #desksBus(): Bus {
    const { messaging } = this.bus;
    const assertUp = () => {
      if (this.away) throw new BusError('unreachable', 'the bus is away');
    };
    const own: Messaging = {
      publish: (subject, payload, options) => {
        assertUp();
        messaging.publish(subject, payload, options);
      },
      subscribe: (...args) => messaging.subscribe(...args),
      request: async (...args) => {
        assertUp();
        return await messaging.request(...args);
      },
    };
    const state = () => (this.away ? 'reconnecting' : 'connected');
    return new Proxy(this.bus, {
      get: (bus, name) => {
        if (name === 'messaging') return own;
        return name === 'state' ? state() : Reflect.get(bus, name, bus);
      },
    });
  }
}
