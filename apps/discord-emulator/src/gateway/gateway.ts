/** Discord's gateway, version 10, encoding JSON. */
import type { Clock, Random } from '@starling/clock';
import type { KnobStore } from '../core/knobs.ts';
import type { Dispatcher, GatewayInfo, RecordKeeper } from '../core/ports.ts';
import type { World } from '../core/world.ts';
import { covers, type FaultSchedule, type FaultTarget } from '../faults/fault-schedule.ts';
import { closeCodes, type ServerCloseCode } from './close-codes.ts';
import { type Connection, openConnection } from './connection.ts';
import { createDispatcher } from './dispatcher.ts';
import { createIdentifyLanes } from './identify-lanes.ts';
import { type Accepted, openListener } from './listener.ts';
import { createSessionStore, type Session } from './session.ts';
import { createSessionStarter } from './session-starter.ts';

/** A session, for `/control/sessions`. */
export interface SessionReport {
  readonly sessionId: string;
  readonly shard: readonly [number, number];
  readonly intents: number;
  readonly lastSeq: number;
  readonly live: boolean;
  /** Milliseconds since it lost its connection. */
  readonly awayMs?: number;
}

export interface Gateway extends Dispatcher, GatewayInfo, AsyncDisposable {
  readonly url: string;
  sessions(): readonly SessionReport[];
  /** A new day: session starts are full, a revoked token is valid again. */
  refillSessionStarts(): void;
}

/** @throws when the port cannot be opened */
export async function startGateway(parts: {
  readonly clock: Clock;
  readonly random: Random;
  readonly world: World;
  readonly knobs: KnobStore;
  readonly faults: FaultSchedule;
  readonly record: RecordKeeper;
  readonly host: string;
  readonly port: number;
  readonly onLost: (error: Error) => void;
}): Promise<Gateway> {
  const { clock, world, knobs, faults, record } = parts;
  const connections = new Set<Connection>();
  const lanes = createIdentifyLanes({
    clock,
    knobs,
    maxConcurrency: world.spec.maxConcurrency,
    total: world.spec.sessionStarts,
  });
  const sessions = createSessionStore({
    clock,
    random: parts.random,
    limits: () => knobs.current,
    onEnd: () => record.count('sessions_ended'),
  });
  const dispatcher = createDispatcher({ clock, world, sessions, record });

  const listener = await openListener({
    host: parts.host,
    port: parts.port,
    clock,
    accept,
    onLost: parts.onLost,
  });
  const url = `ws://${parts.host}:${listener.port}`;
  const starter = createSessionStarter({
    ...parts,
    sessions,
    lanes,
    dispatcher,
    resumeUrl: `${url}/resume`,
    killAll() {
      for (const { id } of [...sessions.all()]) sessions.end(id);
      for (const connection of connections) connection.command({ kind: 'close', code: 4004 });
    },
  });

  function accept({ socket, tcp, url: asked }: Accepted): void {
    const refusal = refusalOf(asked.searchParams, connections.size >= knobs.current.maxConnections);
    if (refusal) {
      socket.close(refusal.code, refusal.reason);
      return;
    }
    const viaResumeUrl = asked.pathname.startsWith('/resume');
    connections.add(
      openConnection({
        socket,
        tcp,
        viaResumeUrl,
        clock,
        knobs,
        faults,
        record,
        host: { ...starter, closed: (connection) => connections.delete(connection) },
      }),
    );
  }

  const target: FaultTarget = {
    strike(fault) {
      if (fault.kind === 'refuse_connections') {
        listener.refuse(fault.forMs);
        if (!fault.dropExisting) return 1;
        for (const connection of connections) connection.reset();
        return 1;
      }
      const hit = [...connections]
        .filter(({ place }) => covers(fault.where, place))
        .slice(0, fault.times);
      for (const connection of hit) strikeOne(connection, fault);
      return hit.length;
    },
  };
  faults.setTarget(target);

  return {
    url,
    dispatch: dispatcher.dispatch,
    botTokenRevoked: starter.revoked,
    gatewayBot() {
      const { total, remaining, resetAfterMs } = lanes.status();
      return {
        url,
        shards: world.spec.recommendedShards,
        session_start_limit: {
          total,
          remaining: faults.remainingIsZero() ? 0 : remaining,
          reset_after: resetAfterMs,
          max_concurrency: world.spec.maxConcurrency,
        },
      };
    },
    sessions: () => [...sessions.all()].map((session) => reportOf(session, clock.monotonicMs())),
    refillSessionStarts() {
      lanes.refill();
      starter.restoreToken();
    },
    async [Symbol.asyncDispose]() {
      for (const connection of connections) connection.reset();
      for (const { id } of [...sessions.all()]) sessions.end(id);
      await listener[Symbol.asyncDispose]();
    },
  };
}

/** Why a connection is closed before HELLO. */
function refusalOf(
  query: URLSearchParams,
  isFull: boolean,
): { readonly code: ServerCloseCode; readonly reason: string } | undefined {
  if ((query.get('v') ?? '10') !== '10') return { code: 4012, reason: closeCodes[4012].reason };
  if ((query.get('encoding') ?? 'json') !== 'json' || query.has('compress')) {
    return { code: 4002, reason: 'Only encoding=json without compression is spoken here.' };
  }
  return isFull ? { code: 4000, reason: 'Too many connections.' } : undefined;
}

type Struck = Exclude<Parameters<FaultTarget['strike']>[0], { kind: 'refuse_connections' }>;

function strikeOne(connection: Connection, fault: Struck): void {
  switch (fault.kind) {
    case 'half_open':
      connection.freeze();
      break;
    case 'drop_socket':
      connection.reset();
      break;
    case 'reconnect':
      connection.command({ kind: 'ask_reconnect' });
      break;
    case 'invalid_session':
      connection.command({ kind: 'invalidate', resumable: fault.resumable });
      break;
    case 'request_heartbeat':
      connection.command({ kind: 'ask_heartbeat' });
      break;
    case 'close':
      connection.command({ kind: 'close', code: fault.code });
      break;
  }
}

function reportOf(session: Session, nowMs: number): SessionReport {
  const { presence } = session;
  return {
    sessionId: session.id,
    shard: [session.shardId, session.shardCount],
    intents: session.intents,
    lastSeq: session.log.lastSeq,
    live: presence.kind === 'live',
    ...(presence.kind === 'away' && { awayMs: Math.round(nowMs - presence.sinceMs) }),
  };
}
