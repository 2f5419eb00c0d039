import { timingSafeEqual } from 'node:crypto';
import type { Clock } from '@starling/clock';
import type { KnobStore } from '../core/knobs.ts';
import { intentBits, type RecordKeeper } from '../core/ports.ts';
import type { World } from '../core/world.ts';
import type { FaultSchedule } from '../faults/fault-schedule.ts';
import type { Identify, Resume } from './client-frames.ts';
import type { ConnectionHost, Verdict } from './connection.ts';
import type { SessionDispatcher } from './dispatcher.ts';
import { createGuildMembers } from './guild-members.ts';
import { identifyProblem, placeOf } from './identify-check.ts';
import type { IdentifyLanes } from './identify-lanes.ts';
import { createReplayBuffer } from './replay-buffer.ts';
import type { SessionStore } from './session.ts';
import { guildIdsOfShard, guildPayload, readyPayload } from './session-events.ts';

/** Decides IDENTIFY and RESUME, and fills a new session. */
export interface SessionStarter extends Omit<ConnectionHost, 'closed'> {
  /** The bot token was reset because the day's session starts were used up. */
  revoked(): boolean;
  restoreToken(): void;
}

export function createSessionStarter(parts: {
  readonly clock: Clock;
  readonly world: World;
  readonly knobs: KnobStore;
  readonly faults: FaultSchedule;
  readonly record: RecordKeeper;
  readonly sessions: SessionStore;
  readonly lanes: IdentifyLanes;
  readonly dispatcher: SessionDispatcher;
  readonly resumeUrl: string;
  /** Ends every session and connection: the token is reset. */
  readonly killAll: () => void;
}): SessionStarter {
  const { clock, world, knobs, record, sessions, dispatcher } = parts;
  let revoked = false;
  const members = createGuildMembers({
    world,
    clock,
    intervalMs: () => knobs.current.allMembersIntervalMs,
  });

  const acceptsToken = (token: string): boolean => {
    const given = Buffer.from(token.replace(/^Bot /, ''));
    const expected = Buffer.from(world.botToken);
    return !revoked && given.length === expected.length && timingSafeEqual(given, expected);
  };
  const invalid = (): Verdict => {
    record.count('invalid_sessions');
    return { kind: 'invalid' };
  };
  const tooEarly = (detail: Record<string, unknown>): Verdict => {
    record.violation({ rule: 'identify_too_early', atMs: clock.nowMs(), detail });
    return invalid();
  };

  function identify(request: Identify): Verdict {
    const { maxGuildsPerShard, replayBufferEvents } = knobs.current;
    const code = identifyProblem(request, { acceptsToken, spec: world.spec, maxGuildsPerShard });
    if (code !== undefined) return { kind: 'reject', code };
    const place = placeOf(request);
    const shard = [place.shardId, place.shardCount];
    if (parts.faults.remainingIsZero({ spend: true })) {
      return tooEarly({ shard, reason: 'session_start_limit.remaining is 0' });
    }
    const claim = parts.lanes.claim(place.shardId);
    if (claim.kind === 'exhausted') {
      revoked = true;
      parts.killAll();
      return { kind: 'reject', code: 4004 };
    }
    if (claim.kind === 'too_early') {
      return tooEarly({ shard, lane: claim.lane, sinceMs: Math.round(claim.sinceMs) });
    }
    const log = createReplayBuffer(replayBufferEvents);
    const session = sessions.create({ ...place, intents: request.intents, log });
    if (!session) return invalid();
    record.count('identifies');
    const ready = () => JSON.stringify(readyPayload(world, session, parts.resumeUrl));
    dispatcher.toSession(session, { name: 'READY', body: ready });
    if ((request.intents & intentBits.GUILDS) !== 0) {
      for (const guildId of guildIdsOfShard(world, place)) {
        const body = () => {
          const guild = world.guild(guildId);
          return JSON.stringify(guild && guildPayload(world, guild, request.intents));
        };
        dispatcher.toSession(session, { name: 'GUILD_CREATE', body });
      }
    }
    return { kind: 'attach', session, afterSeq: 0 };
  }

  function resume(request: Resume, viaResumeUrl: boolean): Verdict {
    if (!acceptsToken(request.token)) return { kind: 'reject', code: 4004 };
    const session = sessions.get(request.session_id);
    if (!session) return invalid();
    const { log } = session;
    const isPossible = request.seq >= 0 && request.seq <= log.lastSeq;
    if (!isPossible || !log.holdsAllAfter(request.seq)) {
      if (session.presence.kind === 'live') session.presence.connection.takenOver();
      sessions.end(session.id);
      return isPossible ? invalid() : { kind: 'reject', code: 4007 };
    }
    record.count('resumes');
    if (!viaResumeUrl) record.count('resumes_elsewhere');
    for (let missed = request.seq; missed < log.lastSeq; missed++) record.count('replayed_events');
    dispatcher.toSession(session, { name: 'RESUMED', body: '{"_trace":[]}' });
    return { kind: 'attach', session, afterSeq: request.seq };
  }

  return {
    identify,
    resume,
    serveMembers(sessionId, request) {
      const session = sessions.get(sessionId);
      if (!session) return;
      for (const { name, data } of members.answer(session, request)) {
        dispatcher.toSession(session, { name, body: JSON.stringify(data) });
      }
    },
    attach: sessions.attach,
    release(sessionId, connection, outcome) {
      const presence = sessions.get(sessionId)?.presence;
      if (presence?.kind !== 'live' || presence.connection !== connection) return;
      if (outcome === 'ended') sessions.end(sessionId);
      else sessions.detach(sessionId, connection);
    },
    revoked: () => revoked,
    restoreToken() {
      revoked = false;
    },
  };
}
