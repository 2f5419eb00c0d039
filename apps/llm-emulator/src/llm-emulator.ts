import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Clock, type Random, seededRandom } from '@starling/clock';
import { createDrainable, type Drainable } from '@starling/lifecycle';
import { controlDoor } from './control/control-door.ts';
import { parseControl } from './control/control-problem.ts';
import { type FaultsInput, faultsSchema } from './faults/fault.ts';
import { FaultBook } from './faults/fault-book.ts';
import { providerDoor } from './http/provider-door.ts';
import { Listener } from './listener.ts';
import { type Profile, type ProfileInput, profileSchema } from './profile.ts';
import type { Connection } from './record/connection-log.ts';
import { EmulatorRecord, type RecordQuery, type RecordReading } from './record/emulator-record.ts';

/** What can be chosen at the start; all of it has a default. */
export interface LlmEmulatorKnobs {
  /** Default 127.0.0.1. */
  readonly host?: string;
  readonly profile?: ProfileInput;
  readonly faults?: FaultsInput;
  /** Requests that the record keeps one by one; default 20 000, about 20 MB (twice that between two trims). */
  readonly recordRequestsMax?: number;
  /** A larger body gets 413; default 8 MiB. */
  readonly bodyBytesMax?: number;
  /** More connections are closed at once; default 4096. */
  readonly connectionsMax?: number;
  /** How long an idle connection is kept; default 60 s, as providers do. */
  readonly keepAliveMs?: number;
}

export interface LlmEmulatorOptions {
  readonly clock: Clock;
  /** Draws where no seed is set. */
  readonly random: Random;
  readonly knobs?: LlmEmulatorKnobs;
  /** 0, the default, takes a free one. */
  readonly port?: number;
}

/** Emulated providers that are serving. Draining ends what is in flight, disposing closes. */
export interface LlmEmulator extends Drainable {
  /** `http://host:port`; OpenAI's base URL is this with `/v1`. */
  readonly url: string;
  readonly port: number;
  profile(): Profile;
  /** Replaces the whole profile; what is left out takes its default. @throws {ControlProblem} */
  setProfile(profile: ProfileInput): void;
  faults(): ReturnType<FaultBook['read']>;
  /** Replaces all faults and their counts. @throws {ControlProblem} */
  setFaults(faults: FaultsInput): void;
  readRecord(query?: RecordQuery): RecordReading;
  resetRecord(): void;
  /** Closes every connection now. */
  close(): Promise<void>;
}

/**
 * Starts the emulated providers on one port.
 * @throws {ControlProblem} when a knob is wrong, Node's error when the port is taken
 */
export async function startLlmEmulator(options: LlmEmulatorOptions): Promise<LlmEmulator> {
  const { clock, knobs = {} } = options;
  const host = knobs.host ?? '127.0.0.1';
  const record = new EmulatorRecord(clock, knobs.recordRequestsMax ?? 20_000);
  const initial = parseControl(faultsSchema, knobs.faults ?? {});
  const faults = new FaultBook(initial, options.random);

  let profile: Profile;
  let profileRandom: Random;
  const setProfile = (input: unknown) => {
    profile = parseControl(profileSchema, input);
    profileRandom = profile.seed === undefined ? options.random : seededRandom(profile.seed);
  };
  setProfile(knobs.profile ?? {});
  const setFaults = (input: unknown) => {
    const parsed = parseControl(faultsSchema, input);
    faults.replace(parsed);
    return parsed.refuseConnectionsMs;
  };

  const provide = providerDoor({
    clock,
    record,
    faults,
    bodyBytesMax: knobs.bodyBytesMax ?? 8 * 1024 * 1024,
    profile: () => ({ profile, random: profileRandom }),
  });
  const controlsFor = (response: ServerResponse) =>
    controlDoor({
      profile: () => profile,
      setProfile,
      faults: () => faults.read(),
      setFaults: (input) => {
        const refuseMs = setFaults(input);
        if (refuseMs === undefined) return;
        // The answer to this very request leaves before the door shuts.
        response.setHeader('connection', 'close');
        response.once('close', () => listener.refuse(refuseMs));
      },
      readRecord: (query) => record.read(query),
      resetRecord: () => record.reset(),
    });

  const connections = new WeakMap<Socket, Connection>();
  const connectionOf = (socket: Socket): Connection => {
    const known = connections.get(socket);
    if (known) return known;
    const opened = record.connections.opened();
    connections.set(socket, opened);
    socket.once('close', () => record.connections.closed(opened));
    return opened;
  };
  const listener = new Listener({
    clock,
    host,
    port: options.port ?? 0,
    connectionsMax: knobs.connectionsMax ?? 4096,
    keepAliveMs: knobs.keepAliveMs ?? 60_000,
    onConnection: (socket) => void connectionOf(socket),
    onRefused: () => record.connections.refused(),
    onRequest: (request, response) => {
      const connection = connectionOf(request.socket);
      if (request.url?.startsWith('/control/')) {
        record.connections.controlRequest(connection);
        controlsFor(response)(request, response);
      } else {
        provide(request, response, connection);
      }
    },
  });
  await listener.open();
  if (initial.refuseConnectionsMs !== undefined) listener.refuse(initial.refuseConnectionsMs);

  const drainable = createDrainable({
    async drain({ signal }) {
      listener.stopTaking();
      await record.idle(signal);
    },
    release: () => listener.close(),
  });
  return {
    url: `http://${host}:${listener.port}`,
    port: listener.port,
    profile: () => profile,
    setProfile,
    faults: () => faults.read(),
    setFaults: (input) => {
      const refuseMs = setFaults(input);
      if (refuseMs !== undefined) listener.refuse(refuseMs);
    },
    readRecord: (query) => record.read(query),
    resetRecord: () => record.reset(),
    close: async () => drainable[Symbol.asyncDispose](),
    drain: (drainOptions) => drainable.drain(drainOptions),
    [Symbol.asyncDispose]: () => drainable[Symbol.asyncDispose](),
  };
}
