/** The local fleet: real NATS and Redis, and every role as a process of its own. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SignalBoard } from '@starling/balance';
import { type Bus, connectNats } from '@starling/bus';
import type { Clock } from '@starling/clock';
import { natsSection, parseConfig } from '@starling/config';
import { balancerHeartbeatContract, decode, exchangeContract, subjects } from '@starling/contracts';
import {
  type RunningServer,
  type Servers,
  startNatsServer,
  startRedisServer,
} from '@starling/harness';
import type { SupervisedChild } from '@starling/lifecycle';
import { PeopleDoor } from '../people-door.ts';
import { ExchangeLog } from './exchange-log.ts';
import type { FleetOptions, RunningFleet } from './fleet.ts';
import { PartRunner } from './part-runner.ts';
import {
  balancer,
  bot,
  type CommonSettings,
  discordEmulator,
  ingress,
  llmEmulator,
  readyText,
  worker,
} from './part-specs.ts';
import { keepAlive } from './server-keeper.ts';
import { startTogether } from './start-together.ts';

type LocalOptions = FleetOptions & { readonly servers: Servers };

/** Starts everything, in the order in which each finds what it needs; on a failure nothing stays behind. */
export async function startLocalFleet(options: LocalOptions): Promise<RunningFleet> {
  const { plan, clock, say } = options;
  await using starting = new AsyncDisposableStack();
  const runner = starting.use(new PartRunner(options));
  const [nats, redis, emulators] = await startTogether(starting, [
    () => startServer('nats', options),
    () => startServer('redis', options),
    () => startEmulators(runner, options),
  ]);
  for (const [name, server] of Object.entries({ nats, redis })) {
    starting.use(keepAlive({ name, server, clock, say, onGaveUp: runner.giveUp }));
  }
  const { connectTimeoutMs } = parseConfig(natsSection, options.environment);
  const bus = starting.use(
    await connectNats({ url: nats.url, name: 'cli', connectTimeoutMs, clock }),
  );
  const exchanges = new ExchangeLog(clock);
  starting.defer(() => exchanges.read());
  await collectExchanges(bus, exchanges);
  const load = await hearLoad(bus, clock);

  const { llm, discord } = emulators;
  const commonOf = async (part: string): Promise<CommonSettings> => ({
    natsUrl: (await options.natsUrlOf?.(part, nats.url)) ?? nats.url,
    redisUrl: redis.url,
  });
  await startTogether(starting, [
    ...numbered(plan.workers, (n) => async () => {
      return await runner.run(worker(n, await commonOf(`worker-${n}`), llm));
    }),
    ...numbered(plan.balancers, (n) => async () => {
      return await runner.run(balancer(n, await commonOf(`balancer-${n}`)));
    }),
  ]);
  await startTogether(starting, [
    async () => runner.run(bot(await commonOf('bot'), discord)),
    async () => runner.run(ingress(plan.ports, await commonOf('ingress'))),
  ]);

  const owned = starting.move();
  return {
    mode: 'local',
    exchanges,
    load,
    natsUrl: nats.url,
    failed: runner.failed,
    ...emulatorDoors(emulators),
    parts: () => [
      { name: 'nats', detail: nats.url, pid: nats.pid },
      { name: 'redis', detail: redis.url, pid: redis.pid },
      ...runner.parts(),
    ],
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The emulators of a fleet, as far as the plan has them. */
export interface Emulators extends AsyncDisposable {
  readonly llm: SupervisedChild | undefined;
  readonly discord: SupervisedChild | undefined;
}

/** Starts the emulator of whatever is not real. */
export async function startEmulators(
  runner: PartRunner,
  { plan }: FleetOptions,
): Promise<Emulators> {
  await using starting = new AsyncDisposableStack();
  const [llm, discord] = await startTogether(starting, [
    async () =>
      plan.provider.kind === 'real' ? undefined : await runner.run(llmEmulator(plan.ports)),
    async () =>
      plan.discord.kind === 'real' ? undefined : await runner.run(discordEmulator(plan.ports)),
  ]);
  const owned = starting.move();
  return { llm, discord, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Where a person, and a demo that plants faults, reach the emulators. */
export function emulatorDoors({
  llm,
  discord,
}: Emulators): Pick<RunningFleet, 'door' | 'peopleUrl' | 'llmUrl'> {
  const peopleUrl = discord && readyText(discord, 'restUrl');
  return {
    ...(llm && { llmUrl: readyText(llm, 'url') }),
    ...(peopleUrl && { peopleUrl, door: new PeopleDoor(peopleUrl) }),
  };
}

/** Writes every exchange that a bot tells of into the log. */
async function collectExchanges(bus: Bus, exchanges: ExchangeLog): Promise<void> {
  await bus.messaging.subscribe(subjects.allExchanges, ({ payload }) => {
    const decoded = decode(exchangeContract, payload);
    if (decoded.ok) exchanges.add(decoded.value);
  });
}

/** Listens to the balancers. @returns what they say of the fleet's load */
async function hearLoad(bus: Bus, clock: Clock): Promise<RunningFleet['load']> {
  const board = new SignalBoard();
  await bus.messaging.subscribe(subjects.balancerHeartbeat, ({ payload }) => {
    const decoded = decode(balancerHeartbeatContract, payload);
    if (decoded.ok) board.heard(decoded.value, clock.monotonicMs());
  });
  return () => board.signal(clock.monotonicMs());
}

/**
 * The data of NATS and Redis outlives the fleet only with the real Discord: what a simulated one knew
 * ends with it, and jobs for messages that are gone would be answered into the void.
 */
async function startServer(which: 'nats' | 'redis', options: LocalOptions): Promise<RunningServer> {
  const { plan, directory, clock, say, servers } = options;
  const store = plan.discord.kind === 'real' ? join(directory, 'data', which) : undefined;
  if (store) await mkdir(store, { recursive: true });
  const port = plan.ports[which];
  const common = { clock, ...(port !== 0 && { port }) };
  const server = await (which === 'nats'
    ? startNatsServer({
        ...common,
        program: servers.natsServer,
        ...(store && { storeDir: store }),
      })
    : startRedisServer({ ...common, program: servers.redisServer, ...(store && { dir: store }) }));
  say(`${which} is up`);
  return server;
}

function numbered<T>(count: number, make: (n: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, index) => make(index + 1));
}
