/**
 * The HTTP front door: OpenAI's chat completions, answered by the fleet. Built of the fleet's side
 * ({@link JobDesk} for jobs that end with their connection, {@link DurableDesk} for those that outlive
 * it) and the callers' side ({@link HttpDoor}), with one timer for all.
 */
import type { Buckets } from '@starling/buckets';
import type { Bus } from '@starling/bus';
import type { Clock, Random } from '@starling/clock';
import type { ConfigOf, ingressSection } from '@starling/config';
import type { IngressId } from '@starling/contracts';
import { createDrainable, type Drainable } from '@starling/lifecycle';
import { telemetryFor } from '@starling/telemetry';
import { openJobs } from '../delivery/open-jobs.ts';
import type { ApiKey } from './api-keys.ts';
import { requestProblem } from './api-problem.ts';
import { BalancerRoster } from './balancer-roster.ts';
import { CallerRates } from './caller-rates.ts';
import { ChatDoor } from './chat-door.ts';
import { DurableDesk } from './durable-desk.ts';
import { hearWakes } from './durable-ears.ts';
import { listenToFleet } from './fleet-ears.ts';
import { HttpDoor } from './http-door.ts';
import { createHttpServer, listen } from './http-server.ts';
import { JobDesk } from './job-desk.ts';
import { ReaderWatch } from './reader-watch.ts';
import { RequestPermits } from './request-permits.ts';
import { Tally } from './tally.ts';

/** Settings of `ingressSection` that the role itself needs. */
export type IngressConfig = Omit<
  ConfigOf<typeof ingressSection>,
  'apiKeys' | 'apiKeysFile' | 'drainDeadlineMs'
>;

export interface IngressParts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: Random;
  readonly ingressId: IngressId;
  readonly config: IngressConfig;
  /** Who may ask; none means everybody on this host, and nobody else. */
  readonly keys: readonly ApiKey[];
  /** Where callers are counted; absent: they are not. */
  readonly buckets?: Buckets | undefined;
}

/** An ingress at one moment. */
export interface IngressSnapshot {
  readonly inFlight: number;
  /** Balancers that are heard and take jobs. */
  readonly balancers: number;
  readonly draining: boolean;
}

export type Ingress = Drainable & {
  readonly host: string;
  readonly port: number;
  snapshot(): IngressSnapshot;
};

/** Between two looks at everything that waits: as often as balancers are heard. */
const lookEveryMs = 250;

const loopback = '127.0.0.1';

/** Starts an ingress; it listens when this resolves. @throws Node's error when the port is taken */
export async function startIngress(parts: IngressParts): Promise<Ingress> {
  const { bus, clock, random, ingressId, config, keys } = parts;
  const telemetry = telemetryFor('ingress');
  await using stack = new AsyncDisposableStack();
  const tally = new Tally();
  const roster = new BalancerRoster();
  const readers = new ReaderWatch(config.readerStallMs);
  const permits = new RequestPermits({
    max: config.maxInFlight,
    maxPerCaller: config.maxInFlightPerKey,
  });
  const desk = new JobDesk({ bus, clock, ingressId, roster, tally, telemetry, config });
  const jobs = await openJobs(parts);
  const durable = new DurableDesk({ bus, jobs, clock, ingressId, tally, telemetry, config });
  stack.use(await hearWakes(bus.messaging, ingressId, (wake) => durable.wake(wake)));
  stack.use(
    await listenToFleet(bus.messaging, ingressId, {
      heartbeat: (heartbeat) => roster.hear(heartbeat, clock.monotonicMs()),
      frame: (frame) => {
        if (!durable.frame(frame)) desk.frame(frame);
      },
      result: (result) => desk.result(result),
      returned: (returned) => desk.returned(returned),
    }),
  );

  let draining = false;
  const whyUnready = () => {
    if (draining) return 'draining';
    if (bus.state !== 'connected') return `the bus is ${bus.state}`;
    return roster.taking === 0 ? 'no balancer is heard' : undefined;
  };
  const chat = new ChatDoor({
    clock,
    random,
    telemetry,
    tally,
    desk,
    durable,
    roster,
    readers,
    limits: config,
    rates: ratesOf(parts),
  });
  const door = new HttpDoor({ random, keys, permits, chat, roster, tally, whyUnready });

  let timer: Disposable;
  const look = () => {
    timer = clock.schedule(lookEveryMs, look);
    desk.look();
    durable.look();
    for (const response of readers.stalled(clock.monotonicMs())) response.destroy();
  };
  timer = clock.schedule(lookEveryMs, look);
  stack.defer(() => timer[Symbol.dispose]());

  const server = createHttpServer(config, (request, response) => door.handle(request, response));
  const host = keys.length > 0 || isLoopback(config.host) ? config.host : loopback;
  const { port } = await listen(server, { host, port: config.port });
  if (keys.length === 0) {
    const log = telemetry.log('ingress');
    log.warn('ingress.no_api_keys', { listensOn: host, configuredHost: config.host });
  }
  const owned = stack.move();

  const drainable = createDrainable({
    async drain({ signal }) {
      draining = true;
      const answered = door.close();
      server.close();
      server.closeIdleConnections();
      const { promise: hurried, resolve } = Promise.withResolvers<void>();
      signal.addEventListener('abort', () => resolve(), { once: true });
      if (signal.aborted) resolve();
      await Promise.race([answered, hurried]);
    },
    async release() {
      draining = true;
      void door.close();
      server.close();
      const problem = requestProblem('shutting_down', 'This ingress was shut down: ask again.');
      desk.abandonAll(problem);
      durable.abandonAll(problem);
      server.closeAllConnections();
      await owned.disposeAsync();
    },
  });
  return Object.assign(drainable, {
    host,
    port,
    snapshot: () => ({ inFlight: permits.total, balancers: roster.taking, draining }),
  });
}

function ratesOf({ buckets, config }: IngressParts): CallerRates | undefined {
  const { requestsPerMinutePerKey: perMinute } = config;
  return buckets && perMinute > 0 ? new CallerRates({ buckets, perMinute }) : undefined;
}

/** Whether only this host can reach the address. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
