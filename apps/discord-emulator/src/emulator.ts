/**
 * The emulated Discord: one world behind a gateway on its own port, and a REST API with the doors for
 * people and for control on another.
 */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock, Random } from '@starling/clock';
import { createDrainable, type Drainable } from '@starling/lifecycle';
import { createControlHandler } from './control/control-handler.ts';
import { createKnobs, type KnobStore, type KnobsInput } from './core/knobs.ts';
import { createWorld, type World } from './core/world.ts';
import type { WorldInput } from './core/world-spec.ts';
import { createFaultSchedule, type FaultSchedule } from './faults/fault-schedule.ts';
import { type Gateway, startGateway } from './gateway/gateway.ts';
import { createPeopleHandler } from './people/people-handler.ts';
import { createRecord, type EmulatorRecord } from './record/record.ts';
import { createPlatform } from './rest/platform.ts';
import { createRestHandler } from './rest/rest-handler.ts';

export interface DiscordEmulatorOptions {
  readonly clock: Clock;
  /** Makes the bot token, session ids and interaction tokens, and decides a fault's `chance`. */
  readonly random: Random;
  /** The world as data; left out, the small default one. */
  readonly world?: WorldInput;
  readonly knobs?: KnobsInput;
  /** The address to listen on; left out, 127.0.0.1. */
  readonly host?: string;
  /** 0, and left out: a free port. */
  readonly ports?: { readonly rest?: number; readonly gateway?: number };
  /** Left out, a new one is made. */
  readonly botToken?: string;
  /** Told when the gateway lost its port while it refused connections. */
  readonly onGatewayLost?: (error: Error) => void;
}

/** A running emulator. */
export interface DiscordEmulator extends Drainable {
  /** `http://host:port`, with the API under `/api/v10`, people's door under `/people`, control under `/control`. */
  readonly restUrl: string;
  readonly gatewayUrl: string;
  readonly botToken: string;
  readonly applicationId: string;
  readonly world: World;
  readonly knobs: KnobStore;
  readonly faults: FaultSchedule;
  readonly record: EmulatorRecord;
  readonly gateway: Gateway;
  close(): Promise<void>;
}

/** @throws when a port is taken, or the description of the world or a knob is wrong */
export async function startDiscordEmulator(
  options: DiscordEmulatorOptions,
): Promise<DiscordEmulator> {
  const { clock, random, host = '127.0.0.1' } = options;
  const knobs = createKnobs(options.knobs);
  const world = createWorld({
    clock,
    random,
    knobs,
    ...(options.world !== undefined && { world: options.world }),
    ...(options.botToken !== undefined && { botToken: options.botToken }),
  });
  const record = createRecord({ clock, knobs });
  const faults = createFaultSchedule({ clock, random, onHit: () => record.count('faults_hit') });

  await using starting = new AsyncDisposableStack();
  const gateway = starting.use(
    await startGateway({
      clock,
      random,
      world,
      knobs,
      faults,
      record,
      host,
      port: options.ports?.gateway ?? 0,
      onLost: (error) => options.onGatewayLost?.(error),
    }),
  );
  let restUrl = '';
  const platform = createPlatform({
    clock,
    random,
    world,
    knobs,
    dispatcher: gateway,
    keeper: record,
    baseUrl: () => restUrl,
  });
  const rest = createRestHandler({ platform, gateway, faults });
  const people = starting.use(createPeopleHandler(platform));
  const control = createControlHandler({ world, knobs, faults, record, gateway });

  const server = createServer((request, response) => {
    const handlers: Readonly<Record<string, RequestListener>> = {
      api: rest.handle,
      people: people.handle,
      control: control.handle,
    };
    const door = /^\/(api|people|control)(?=[/?]|$)/.exec(request.url ?? '')?.[1] ?? '';
    const handle = handlers[door];
    if (handle) handle(request, response);
    else response.writeHead(404).end('Here are /api/v10, /people and /control.\n');
  });
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    if (request.url?.startsWith('/people/')) people.upgrade(request, socket, head);
    else socket.destroy();
  });
  server.on('clientError', (_error, socket) => socket.destroy());
  starting.defer(() => closeServer(server));
  restUrl = `http://${host}:${await listen(server, { host, port: options.ports?.rest ?? 0 })}`;

  const running = starting.move();
  const drainable = createDrainable({
    // Nothing of the emulator's is worth waiting for: its clients end their own work.
    drain: () => {},
    release: () => running.disposeAsync(),
  });
  return {
    ...drainable,
    restUrl,
    gatewayUrl: gateway.url,
    botToken: world.botToken,
    applicationId: world.application.id,
    world,
    knobs,
    faults,
    record,
    gateway,
    close: async () => drainable[Symbol.asyncDispose](),
  };
}

function listen(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}
