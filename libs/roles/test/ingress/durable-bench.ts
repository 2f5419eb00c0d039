import { type Bus, createMemoryBus } from '@starling/bus';
import { SimulatedClock, seededRandom } from '@starling/clock';
import { ingressId } from '@starling/contracts';
import { activeContext, telemetryFor } from '@starling/telemetry';
import { type Jobs, openJobs } from '../../src/delivery/open-jobs.ts';
import { parseChatRequest } from '../../src/ingress/chat-request.ts';
import { DurableDesk } from '../../src/ingress/durable-desk.ts';
import { hearWakes } from '../../src/ingress/durable-ears.ts';
import { listenToFleet } from '../../src/ingress/fleet-ears.ts';
import type { Departure, Ending } from '../../src/ingress/open-job.ts';
import { Tally } from '../../src/ingress/tally.ts';
import { FakeReply } from './fake-reply.ts';

/** One durable request and all that came of it. */
export interface AskedDurable {
  readonly reply: FakeReply;
  readonly endings: Ending[];
  /** What its key stood for; absent until it is known. */
  found: 'new' | 'running' | 'ended' | undefined;
  /** The id that its answer has. */
  id: string | undefined;
  leave: (why: Departure) => void;
}

/** The durable desk of one ingress in a fleet that runs on a simulated clock; the test is its callers. */
export class DurableBench {
  readonly clock: SimulatedClock;
  readonly bus: Bus;
  readonly tally = new Tally();
  readonly desk: DurableDesk;
  /** How often the desk has read the ledger. */
  reads = 0;
  readonly #stack = new AsyncDisposableStack();
  #requests = 0;
  #looks: Disposable | undefined;

  private constructor(of: {
    readonly clock: SimulatedClock;
    readonly bus: Bus;
    readonly jobs: Jobs;
    readonly name: string;
  }) {
    const { bus, clock, jobs, name } = of;
    const { ledger, store } = jobs;
    const counted: Jobs['ledger'] = {
      ...ledger,
      read: (jobId) => {
        this.reads += 1;
        return ledger.read(jobId);
      },
    };
    this.clock = clock;
    this.bus = bus;
    this.desk = new DurableDesk({
      ...{ bus, clock, tally: this.tally, jobs: { store, ledger: counted } },
      ingressId: ingressId.parse(name),
      telemetry: telemetryFor('ingress'),
      config: { requestTimeoutMs: 60_000 },
    });
  }

  static async start(
    fleet: { readonly clock?: SimulatedClock; readonly bus?: Bus } = {},
    name = 'ingress-a',
  ): Promise<DurableBench> {
    const clock = fleet.clock ?? new SimulatedClock();
    const bus = fleet.bus ?? createMemoryBus({ clock, random: seededRandom(5) });
    const bench = new DurableBench({ clock, bus, name, jobs: await openJobs({ bus, clock }) });
    const id = ingressId.parse(name);
    const { desk } = bench;
    const stack = bench.#stack;
    stack.use(await hearWakes(bus.messaging, id, (wake) => desk.wake(wake)));
    stack.use(
      await listenToFleet(bus.messaging, id, {
        heartbeat: () => {},
        frame: (frame) => void desk.frame(frame),
        result: () => {},
        returned: () => {},
      }),
    );
    const look = () => {
      bench.#looks = clock.schedule(250, look);
      desk.look();
    };
    look();
    return bench;
  }

  /** Kill -9: it hears nothing any more, and its callers' connections are gone. */
  async kill(): Promise<void> {
    this.#looks?.[Symbol.dispose]();
    await this.#stack.disposeAsync();
  }

  /** Asks; nothing has happened yet when this returns. */
  ask(
    key: string,
    changes: { readonly caller?: string; readonly body?: object } = {},
  ): AskedDurable {
    const body = { model: 'm', messages: [{ role: 'user', content: 'Hi' }], stream: true };
    const parsed = parseChatRequest(JSON.stringify({ ...body, ...changes.body }), {
      defaultCompletionTokens: 100,
      maxCompletionTokens: 1_000,
    });
    if ('problem' in parsed) throw new Error(parsed.problem.message);
    this.#requests += 1;
    const asked: AskedDurable = {
      reply: new FakeReply(),
      endings: [],
      found: undefined,
      id: undefined,
      leave: () => {},
    };
    const { leave } = this.desk.ask({
      requestId: `r${this.#requests}`,
      caller: changes.caller ?? 'tests',
      key,
      request: parsed.request,
      replyAs: ({ id }) => {
        asked.id = id;
        return asked.reply;
      },
      context: activeContext(),
      arrivedAtMs: this.clock.monotonicMs(),
      onFound: (found) => {
        asked.found = found;
      },
      onFirst: () => {},
      onEnded: (ending) => asked.endings.push(ending),
    });
    asked.leave = leave;
    return asked;
  }
}
