/**
 * One gateway connection as a state and one pure function: HELLO has been sent, then IDENTIFY or
 * RESUME attaches it to a session, until either side closes. Whoever runs it carries out the effects
 * in order and feeds back what `identify` and `resume` came to.
 */
import type { Knobs } from '../core/knobs.ts';
import type { RuleName } from '../core/ports.ts';
import type { ClientFrame, GuildMembersRequest, Identify, Resume } from './client-frames.ts';
import { clientEndsSession, closeCodes, type ServerCloseCode } from './close-codes.ts';
import { opcodes } from './opcodes.ts';

export type ConnectionPhase =
  /** Neither identified nor resumed, or invalidated by op 9 and free to try again. */
  | { readonly kind: 'unauthenticated' }
  /** Waiting for the verdict on an IDENTIFY or RESUME. */
  | { readonly kind: 'authenticating' }
  | { readonly kind: 'attached'; readonly sessionId: string }
  | { readonly kind: 'closed' };

export interface ConnectionState {
  readonly phase: ConnectionPhase;
  /** When the client sent what it sent within the window, monotonic milliseconds. */
  readonly sentMs: readonly number[];
}

export type ConnectionEvent =
  | { readonly kind: 'frame'; readonly frame: ClientFrame }
  /** The verdicts on `identify` and `resume`. */
  | { readonly kind: 'attach'; readonly sessionId: string }
  | { readonly kind: 'invalid' }
  | { readonly kind: 'reject'; readonly code: ServerCloseCode }
  | { readonly kind: 'heartbeat_overdue' }
  | { readonly kind: 'identify_overdue' }
  /** The server's own doing: a fault, or the end of a grace. */
  | { readonly kind: 'ask_heartbeat' }
  | { readonly kind: 'ask_reconnect' }
  | { readonly kind: 'invalidate'; readonly resumable: boolean }
  | { readonly kind: 'close'; readonly code: ServerCloseCode }
  /** Another connection resumed this one's session. */
  | { readonly kind: 'taken_over' }
  /** The client's close frame, or 1006 for a connection that broke. */
  | { readonly kind: 'peer_closed'; readonly code: number };

export type ConnectionEffect =
  | { readonly kind: 'send'; readonly op: number; readonly d: unknown }
  | { readonly kind: 'acknowledge_heartbeat' }
  | { readonly kind: 'identify'; readonly identify: Identify }
  | { readonly kind: 'resume'; readonly resume: Resume }
  | {
      readonly kind: 'serve_members';
      readonly sessionId: string;
      readonly request: GuildMembersRequest;
    }
  /** The session loses this connection; `ended`: it cannot be resumed. */
  | {
      readonly kind: 'release';
      readonly sessionId: string;
      readonly session: 'kept' | 'ended';
    }
  | { readonly kind: 'close'; readonly code: ServerCloseCode }
  /** Close with 4000 when the client has not gone by itself in time. */
  | { readonly kind: 'await_reconnect' }
  | { readonly kind: 'bad_frame'; readonly problem: string }
  | {
      readonly kind: 'violation';
      readonly rule: RuleName;
      readonly detail: Readonly<Record<string, unknown>>;
    };

export interface Step {
  readonly state: ConnectionState;
  readonly effects: readonly ConnectionEffect[];
}

/** What a step may look at beside state and event. */
export interface StepFacts {
  readonly nowMs: number;
  readonly knobs: Pick<Knobs, 'sends' | 'permitClose1000'>;
}

export const openedConnection: ConnectionState = {
  phase: { kind: 'unauthenticated' },
  sentMs: [],
};

/** The whole of a connection's behaviour. A closed connection ignores everything. */
export function step(state: ConnectionState, event: ConnectionEvent, facts: StepFacts): Step {
  const { phase } = state;
  if (phase.kind === 'closed') return { state, effects: [] };
  switch (event.kind) {
    case 'frame':
      return onFrame(state, event.frame, facts);
    case 'attach':
      return {
        state: { ...state, phase: { kind: 'attached', sessionId: event.sessionId } },
        effects: [],
      };
    case 'invalid':
      return invalidate(state, false);
    case 'invalidate':
      return invalidate(state, event.resumable);
    case 'reject':
    case 'close':
      return close(state, event.code);
    case 'heartbeat_overdue':
      return close(state, 4000);
    case 'identify_overdue':
      return phase.kind === 'attached' ? { state, effects: [] } : close(state, 4009);
    case 'ask_heartbeat':
      return { state, effects: [{ kind: 'send', op: opcodes.heartbeat, d: null }] };
    case 'ask_reconnect':
      return {
        state,
        effects: [{ kind: 'send', op: opcodes.reconnect, d: null }, { kind: 'await_reconnect' }],
      };
    case 'taken_over':
      return { state: closed(state), effects: [{ kind: 'close', code: 4000 }] };
    case 'peer_closed':
      return { state: closed(state), effects: onPeerClosed(phase, event.code, facts) };
  }
}

function onFrame(before: ConnectionState, frame: ClientFrame, facts: StepFacts): Step {
  const { limit, perMs } = facts.knobs.sends;
  const recent = before.sentMs.filter((time) => time > facts.nowMs - perMs);
  const state = { ...before, sentMs: [...recent, facts.nowMs] };
  if (state.sentMs.length > limit) {
    const violation = {
      kind: 'violation',
      rule: 'too_many_sends',
      detail: { sends: state.sentMs.length, limit, perMs },
    } as const;
    const { state: after, effects } = close(state, 4008);
    return { state: after, effects: [violation, ...effects] };
  }
  const { phase } = state;
  switch (frame.kind) {
    case 'bad': {
      const { state: after, effects } = close(state, frame.code);
      return { state: after, effects: [{ kind: 'bad_frame', problem: frame.problem }, ...effects] };
    }
    case 'heartbeat':
      return { state, effects: [{ kind: 'acknowledge_heartbeat' }] };
    case 'identify':
    case 'resume':
      if (phase.kind !== 'unauthenticated') return close(state, 4005);
      return {
        state: { ...state, phase: { kind: 'authenticating' } },
        effects: [
          frame.kind === 'identify'
            ? { kind: 'identify', identify: frame.identify }
            : { kind: 'resume', resume: frame.resume },
        ],
      };
    case 'guild_members':
      if (phase.kind !== 'attached') return close(state, 4003);
      return {
        state,
        effects: [{ kind: 'serve_members', sessionId: phase.sessionId, request: frame.request }],
      };
    case 'accepted':
      return phase.kind === 'attached' ? { state, effects: [] } : close(state, 4003);
  }
}

function onPeerClosed(
  phase: ConnectionPhase,
  code: number,
  facts: StepFacts,
): readonly ConnectionEffect[] {
  if (phase.kind !== 'attached') return [];
  const { sessionId } = phase;
  if (!clientEndsSession(code)) return [{ kind: 'release', sessionId, session: 'kept' }];
  const release = { kind: 'release', sessionId, session: 'ended' } as const;
  if (facts.knobs.permitClose1000) return [release];
  return [{ kind: 'violation', rule: 'closed_with_1000', detail: { code, sessionId } }, release];
}

/** Op 9: the session is let go, and the connection may identify or resume again. */
function invalidate(state: ConnectionState, resumable: boolean): Step {
  const { phase } = state;
  const send = { kind: 'send', op: opcodes.invalidSession, d: resumable } as const;
  const session = resumable ? 'kept' : 'ended';
  return {
    state: { ...state, phase: { kind: 'unauthenticated' } },
    effects:
      phase.kind === 'attached'
        ? [{ kind: 'release', sessionId: phase.sessionId, session }, send]
        : [send],
  };
}

function close(state: ConnectionState, code: ServerCloseCode): Step {
  const { phase } = state;
  const effects: ConnectionEffect[] = [{ kind: 'close', code }];
  if (phase.kind === 'attached') {
    const { session } = closeCodes[code];
    effects.unshift({ kind: 'release', sessionId: phase.sessionId, session });
  }
  return { state: closed(state), effects };
}

function closed(state: ConnectionState): ConnectionState {
  return { ...state, phase: { kind: 'closed' } };
}
