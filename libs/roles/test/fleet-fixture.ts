/** Workers, balancers and a cluster on one in-memory bus and a simulated clock. */
import {
  type Bus,
  BusError,
  type BusMessage,
  createMemoryBus,
  type KeyValue,
  type Messaging,
} from '@starling/bus';
import { SimulatedClock, seededRandom } from '@starling/clock';
import {
  admissionSection,
  balancerSection,
  deliverySection,
  parseConfig,
  sharingSection,
  workerSection,
} from '@starling/config';
import { balancerId, type Job, jobContract, jobId, workerId } from '@starling/contracts';
import { acceptJob } from '@starling/jobs';
import type { ModelSource } from '@starling/llm';
import { answerOf, FakeProvider, type FakeStep } from '@starling/llm/testing';
import { type CapturedTelemetry, captureTelemetry } from '@starling/telemetry/testing';
import { type Balancer, startBalancer } from '../src/balancer/index.ts';
import type { Jobs } from '../src/delivery/open-jobs.ts';
import { FakeCluster } from '../src/testing.ts';
import { startWorker, type Worker } from '../src/worker/index.ts';

/** What a test does to the messages of one worker. */
interface Faults {
  cut: boolean;
  repliesToLose: number;
  requestsToSwallow: number;
}

/** The bus as one worker has it: its process may die, its messages may be lost. */
function busOf(bus: Bus, faults: Faults): Bus {
  const { messaging } = bus;
  const mine: Messaging = {
    publish(subject, payload, options) {
      if (!faults.cut) messaging.publish(subject, payload, options);
    },
    subscribe: (subject, handler, options) =>
      messaging.subscribe(
        subject,
        (message) => {
          if (faults.cut) return;
          if (subject.endsWith('.run') && faults.requestsToSwallow-- > 0) return;
          const respond: BusMessage['respond'] = (payload, options_) => {
            if (faults.repliesToLose-- > 0) return;
            message.respond(payload, options_);
          };
          return handler({ ...message, respond });
        },
        options,
      ),
    async request(subject, payload, options) {
      if (faults.cut) throw new BusError('unreachable', 'killed');
      return await messaging.request(subject, payload, options);
    },
  };
  return {
    messaging: mine,
    state: bus.state,
    openJobStore: (spec) => bus.openJobStore(spec),
    async openKeyValue(spec) {
      const bucket = await bus.openKeyValue(spec);
      const orCut = async <T>(work: () => Promise<T>): Promise<T> => {
        if (faults.cut) throw new BusError('unreachable', 'killed');
        return await work();
      };
      const mine: KeyValue = {
        create: (key, bytes, options) => orCut(() => bucket.create(key, bytes, options)),
        update: (key, bytes, options) => orCut(() => bucket.update(key, bytes, options)),
        get: (key, options) => orCut(() => bucket.get(key, options)),
      };
      return mine;
    },
    async [Symbol.asyncDispose]() {},
  };
}

type Settings = Readonly<Record<string, string>>;

export class Fleet implements AsyncDisposable {
  readonly clock = new SimulatedClock();
  readonly random = seededRandom(11);
  readonly bus = createMemoryBus({ clock: this.clock, random: this.random });
  readonly cluster = new FakeCluster();
  readonly telemetry: CapturedTelemetry = captureTelemetry({ clock: this.clock });
  readonly #faults = new Map<string, Faults>();
  readonly #stack = new AsyncDisposableStack();
  #jobs = 0;

  #stores: Jobs | undefined;

  static async start(): Promise<Fleet> {
    const fleet = new Fleet();
    fleet.#stores = await fleet.cluster.join(fleet.bus, fleet.clock);
    return fleet;
  }

  /** The stores themselves, for what a bot or a fault would do to them. */
  get stores(): Jobs {
    if (!this.#stores) throw new Error('not started');
    return this.#stores;
  }

  /** Starts a worker whose provider answers by script. */
  async worker(
    name: string,
    options: {
      readonly script?: (call: number, question: string) => readonly FakeStep[];
      readonly settings?: Settings;
      readonly modelSource?: ModelSource;
    } = {},
  ): Promise<{ readonly role: Worker; readonly provider: FakeProvider }> {
    const script = options.script ?? (() => answerOf('Hello ', 'world'));
    const provider = new FakeProvider({
      clock: this.clock,
      script: ({ messages }, call) => script(call, messages.at(-1)?.content ?? ''),
    });
    const { modelSource, settings = {} } = options;
    const faults: Faults = { cut: false, repliesToLose: 0, requestsToSwallow: 0 };
    this.#faults.set(name, faults);
    const role = await startWorker({
      bus: busOf(this.bus, faults),
      clock: this.clock,
      random: this.random,
      provider,
      modelSource,
      workerId: workerId.parse(name),
      config: {
        ...parseConfig(workerSection, settings),
        ...parseConfig(deliverySection, settings),
        ...parseConfig(sharingSection, settings),
      },
    });
    this.#stack.use(role);
    return { role, provider };
  }

  /** Kill -9, as everyone else sees it: nothing of this worker reaches anyone any more. */
  kill(name: string): void {
    this.#change(name, { cut: true });
  }

  /** It comes back from a pause: a zombie, if another has its jobs by now. */
  revive(name: string): void {
    this.#change(name, { cut: false });
  }

  /** The worker's next replies are lost on the way. */
  loseReplies(name: string, repliesToLose: number): void {
    this.#change(name, { repliesToLose });
  }

  /** The next run requests to the worker are lost on the way. */
  swallowRequests(name: string, requestsToSwallow: number): void {
    this.#change(name, { requestsToSwallow });
  }

  #change(name: string, change: Partial<Faults>): void {
    const faults = this.#faults.get(name);
    if (!faults) throw new Error(`no worker ${name}`);
    Object.assign(faults, change);
  }

  async balancer(name = 'b0', settings: Settings = {}): Promise<Balancer> {
    const role = await startBalancer({
      bus: this.bus,
      clock: this.clock,
      random: this.random,
      balancerId: balancerId.parse(name),
      config: {
        ...parseConfig({ ...admissionSection, ...balancerSection }, settings),
        ...parseConfig(deliverySection, settings),
        ...parseConfig(sharingSection, settings),
      },
    });
    this.#stack.use(role);
    return role;
  }

  /** Accepts a job. */
  async ask(
    question = 'Hi',
    changes: Partial<Job> = {},
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Job> {
    this.#jobs += 1;
    const nowMs = this.clock.nowMs();
    const job: Job = jobContract.schema.parse({
      jobId: jobId.parse(`job-${this.#jobs}`),
      lane: 'interactive',
      origin: {
        kind: 'discord',
        clusterId: this.cluster.id,
        // Each in a channel of its own: jobs of one conversation prefer one worker.
        channelId: String(100000000000000000n + BigInt(this.#jobs)),
        messageId: '100000000000000002',
        userId: String(200000000000000000n + BigInt(this.#jobs)),
      },
      messages: [{ role: 'user', content: question }],
      maxCompletionTokens: 100,
      acceptedAtMs: nowMs,
      deadlineAtMs: nowMs + 60_000,
      ...changes,
    });
    const { clock } = this;
    const { store } = this.stores;
    await acceptJob(job, { store, clock, headers, tokenEstimate: 200, retryForMs: 0 });
    return job;
  }

  /** Moves time on until the condition holds. */
  async until(condition: () => boolean, options: { readonly withinMs?: number } = {}) {
    const endMs = this.clock.monotonicMs() + (options.withinMs ?? 200_000);
    while (!condition()) {
      if (this.clock.monotonicMs() >= endMs) throw new Error('it did not come to that');
      await this.clock.advance(10);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const disposing = this.#stack.disposeAsync().then(() => this.bus[Symbol.asyncDispose]());
    let done = false;
    void disposing.finally(() => {
      done = true;
    });
    while (!done) await this.clock.advance(100);
    await disposing;
    await this.telemetry[Symbol.asyncDispose]();
  }
}
