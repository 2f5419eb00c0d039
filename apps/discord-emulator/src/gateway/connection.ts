/** One client connection: runs the connection's state over a WebSocket. */
import type { Socket } from 'node:net';
import type { Clock } from '@starling/clock';
import type { RawData, WebSocket } from 'ws';
import type { KnobStore } from '../core/knobs.ts';
import type { RecordKeeper } from '../core/ports.ts';
import type { FaultSchedule, ShardPlace } from '../faults/fault-schedule.ts';
import type { GuildMembersRequest, Identify, Resume } from './client-frames.ts';
import { decodeClientFrame } from './client-frames.ts';
import { closeCodes } from './close-codes.ts';
import {
  type ConnectionEffect,
  type ConnectionEvent,
  openedConnection,
  step,
} from './connection-state.ts';
import { opcodes } from './opcodes.ts';
import { createOutbox, type Outbox } from './outbox.ts';
import type { AttachedConnection, Session } from './session.ts';

/** What a connection asks the gateway. */
export interface ConnectionHost {
  identify(identify: Identify): Verdict;
  resume(resume: Resume, viaResumeUrl: boolean): Verdict;
  serveMembers(sessionId: string, request: GuildMembersRequest): void;
  /** The connection no longer carries the session. */
  release(sessionId: string, connection: AttachedConnection, session: 'kept' | 'ended'): void;
  attach(sessionId: string, connection: AttachedConnection): void;
  closed(connection: Connection): void;
}

export type Verdict =
  | Extract<ConnectionEvent, { kind: 'invalid' | 'reject' }>
  | { readonly kind: 'attach'; readonly session: Session; readonly afterSeq: number };

/** An open connection, as the gateway and its faults see it. */
export interface Connection extends AttachedConnection {
  /** The shard it carries; undefined before IDENTIFY. */
  readonly place: ShardPlace | undefined;
  command(event: ConnectionEvent): void;
  /** Goes silent with the socket open: reads nothing, writes nothing. */
  freeze(): void;
  /** A TCP reset, without a close frame. */
  reset(): void;
}

/** A silent socket is reset after so long, in case its client never notices. */
const frozenKeptMs = 300_000;

export function openConnection(parts: {
  readonly socket: WebSocket;
  /** Beneath the WebSocket; for resets. */
  readonly tcp: Socket;
  readonly viaResumeUrl: boolean;
  readonly clock: Clock;
  readonly knobs: KnobStore;
  readonly faults: FaultSchedule;
  readonly record: RecordKeeper;
  readonly host: ConnectionHost;
}): Connection {
  const { socket, tcp, clock, record, host } = parts;
  const knobs = () => parts.knobs.current;
  let state = openedConnection;
  let carried: { readonly session: Session; readonly outbox: Outbox } | undefined;
  let frozen = false;
  /** Armed until the connection closes: the heartbeat, the identify deadline, graces. */
  const timers = new Map<'hello' | 'heartbeat' | 'identify' | 'reconnect' | 'frozen', Disposable>();

  function arm(
    name: 'heartbeat' | 'identify' | 'reconnect',
    delayMs: number,
    event: ConnectionEvent,
  ) {
    timers.get(name)?.[Symbol.dispose]();
    timers.set(
      name,
      clock.schedule(delayMs, () => run(event)),
    );
  }
  function disarm(): void {
    for (const timer of timers.values()) timer[Symbol.dispose]();
    timers.clear();
  }
  const armHeartbeat = (): void => {
    const { heartbeatIntervalMs, heartbeatGraceMs } = knobs();
    arm('heartbeat', heartbeatIntervalMs + heartbeatGraceMs, { kind: 'heartbeat_overdue' });
  };
  const send = (frame: string, flushed?: () => void): void => {
    if (frozen) return;
    socket.send(frame, () => flushed?.());
  };

  function run(event: ConnectionEvent): void {
    const facts = { nowMs: clock.monotonicMs(), knobs: knobs() };
    const { state: next, effects } = step(state, event, facts);
    state = next;
    for (const effect of effects) perform(effect);
    if (event.kind === 'peer_closed') disarm();
  }

  function perform(effect: ConnectionEffect): void {
    switch (effect.kind) {
      case 'send':
        send(JSON.stringify({ t: null, s: null, op: effect.op, d: effect.d }));
        break;
      case 'acknowledge_heartbeat':
        acknowledge();
        break;
      case 'identify':
        decide(host.identify(effect.identify));
        break;
      case 'resume':
        decide(host.resume(effect.resume, parts.viaResumeUrl));
        break;
      case 'serve_members':
        host.serveMembers(effect.sessionId, effect.request);
        break;
      case 'release':
        carried?.outbox.stop();
        carried = undefined;
        host.release(effect.sessionId, connection, effect.session);
        break;
      case 'close':
        carried?.outbox.stop();
        disarm();
        if (!frozen) socket.close(effect.code, closeCodes[effect.code].reason);
        return;
      case 'await_reconnect':
        arm('reconnect', knobs().reconnectGraceMs, { kind: 'close', code: 4000 });
        break;
      case 'bad_frame':
        record.count('bad_frames');
        break;
      case 'violation': {
        const detail = { ...effect.detail, ...connection.place };
        record.violation({ rule: effect.rule, atMs: clock.nowMs(), detail });
        break;
      }
    }
  }

  function acknowledge(): void {
    record.count('heartbeats');
    armHeartbeat();
    const swallowed =
      carried && parts.faults.takeGateway('swallow_heartbeat_acks', carried.session);
    if (!swallowed) perform({ kind: 'send', op: opcodes.heartbeatAck, d: null });
  }

  function decide(verdict: Verdict): void {
    if (verdict.kind !== 'attach') {
      run(verdict);
      return;
    }
    const { session, afterSeq } = verdict;
    const outbox = createOutbox({
      clock,
      session,
      sink: {
        get unsentBytes() {
          return socket.bufferedAmount;
        },
        send,
      },
      afterSeq,
      maxUnsentBytes: () => knobs().maxUnsentBytes,
      onSent: ({ interactionId }) => {
        if (interactionId === undefined || frozen) return;
        record.delivered({ interactionId, atMs: clock.nowMs() });
      },
      onOverrun: () => run({ kind: 'close', code: 4009 }),
    });
    carried = { session, outbox };
    timers.get('identify')?.[Symbol.dispose]();
    run({ kind: 'attach', sessionId: session.id });
    host.attach(session.id, connection);
    const slow = afterSeq === 0 ? parts.faults.takeGateway('slow_ready', session) : undefined;
    if (slow) outbox.hold(slow.delayMs);
    outbox.flush();
  }

  const connection: Connection = {
    get place() {
      return carried?.session;
    },
    flush() {
      if (!frozen) carried?.outbox.flush();
    },
    takenOver() {
      carried?.outbox.stop();
      carried = undefined;
      run({ kind: 'taken_over' });
      if (frozen) tcp.resetAndDestroy();
    },
    command: run,
    freeze() {
      frozen = true;
      socket.pause();
      timers.set(
        'frozen',
        clock.schedule(frozenKeptMs, () => tcp.resetAndDestroy()),
      );
    },
    reset: () => void tcp.resetAndDestroy(),
  };

  socket.on('message', (data: RawData, isBinary: boolean) => {
    const bytes = Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Uint8Array);
    const frame = decodeClientFrame(bytes, { isBinary, maxBytes: knobs().maxPayloadBytes });
    run({ kind: 'frame', frame });
  });
  socket.on('close', (code) => {
    run({ kind: 'peer_closed', code });
    host.closed(connection);
  });
  // A protocol error or a reset; 'close' follows.
  socket.on('error', () => record.count('bad_frames'));

  record.count('connections');
  timers.set(
    'hello',
    clock.schedule(knobs().helloDelayMs, () => {
      const hello = { heartbeat_interval: knobs().heartbeatIntervalMs };
      perform({ kind: 'send', op: opcodes.hello, d: hello });
    }),
  );
  armHeartbeat();
  arm('identify', knobs().identifyTimeoutMs, { kind: 'identify_overdue' });
  return connection;
}
