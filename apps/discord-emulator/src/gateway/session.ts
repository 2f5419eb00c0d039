import type { Clock, Random } from '@starling/clock';
import type { ShardPlace } from '../faults/fault-schedule.ts';
import type { ReplayBuffer } from './replay-buffer.ts';

/** What a session needs of the connection it has at the moment. */
export interface AttachedConnection {
  /** New events are in the session's log. */
  flush(): void;
  /** Another connection has taken the session. */
  takenOver(): void;
}

/** A gateway session: it outlives its connections. */
export interface Session extends ShardPlace {
  readonly id: string;
  readonly intents: number;
  readonly log: ReplayBuffer;
  readonly presence:
    | { readonly kind: 'live'; readonly connection: AttachedConnection }
    | { readonly kind: 'away'; readonly sinceMs: number };
}

interface StoredSession extends Session {
  presence: Session['presence'];
  expiry: Disposable | undefined;
}

/** All sessions, by id and by shard. */
export interface SessionStore {
  /** @returns undefined when the store is full of live sessions */
  create(options: ShardPlace & Pick<Session, 'intents' | 'log'>): Session | undefined;
  get(sessionId: string): Session | undefined;
  attach(sessionId: string, connection: AttachedConnection): void;
  /** Away, until it is resumed or its window ends. Ignored unless this connection is attached. */
  detach(sessionId: string, connection: AttachedConnection): void;
  end(sessionId: string): void;
  /** Sessions of one shard under one shard count. */
  ofShard(place: ShardPlace): Iterable<Session>;
  /** Shard counts that any session has. */
  shardCounts(): Iterable<number>;
  all(): Iterable<Session>;
}

/**
 * A session that is away ends after `resumeWindowMs`. At `maxSessions` the one that has been away
 * for longest makes room.
 */
export function createSessionStore(parts: {
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: () => { readonly maxSessions: number; readonly resumeWindowMs: number };
  /** Told of each end, also of those by time. */
  readonly onEnd: () => void;
}): SessionStore {
  const byId = new Map<string, StoredSession>();
  const byCount = new Map<number, Map<number, Set<StoredSession>>>();

  function end(sessionId: string): void {
    const session = byId.get(sessionId);
    if (!session) return;
    session.expiry?.[Symbol.dispose]();
    byId.delete(sessionId);
    const shards = byCount.get(session.shardCount);
    const sessions = shards?.get(session.shardId);
    sessions?.delete(session);
    if (sessions?.size === 0) shards?.delete(session.shardId);
    if (shards?.size === 0) byCount.delete(session.shardCount);
    parts.onEnd();
  }

  function makeRoom(): boolean {
    if (byId.size < parts.limits().maxSessions) return true;
    let longestAway: { readonly id: string; readonly sinceMs: number } | undefined;
    for (const { id, presence } of byId.values()) {
      if (presence.kind === 'away' && presence.sinceMs < (longestAway?.sinceMs ?? Infinity)) {
        longestAway = { id, sinceMs: presence.sinceMs };
      }
    }
    if (!longestAway) return false;
    end(longestAway.id);
    return true;
  }

  function leave(session: StoredSession): void {
    session.expiry?.[Symbol.dispose]();
    session.presence = { kind: 'away', sinceMs: parts.clock.monotonicMs() };
    session.expiry = parts.clock.schedule(parts.limits().resumeWindowMs, () => end(session.id));
  }

  return {
    create({ shardId, shardCount, intents, log }) {
      if (!makeRoom()) return undefined;
      const id = Array.from({ length: 4 }, () =>
        parts.random
          .integer(2 ** 32)
          .toString(16)
          .padStart(8, '0'),
      ).join('');
      const presence = { kind: 'away', sinceMs: parts.clock.monotonicMs() } as const;
      const session = { id, shardId, shardCount, intents, log, presence, expiry: undefined };
      byId.set(id, session);
      const shards = byCount.get(shardCount) ?? new Map<number, Set<StoredSession>>();
      byCount.set(shardCount, shards);
      shards.set(shardId, (shards.get(shardId) ?? new Set()).add(session));
      leave(session);
      return session;
    },
    get: (sessionId) => byId.get(sessionId),
    attach(sessionId, connection) {
      const session = byId.get(sessionId);
      if (!session) return;
      session.expiry?.[Symbol.dispose]();
      session.expiry = undefined;
      if (session.presence.kind === 'live') session.presence.connection.takenOver();
      session.presence = { kind: 'live', connection };
    },
    detach(sessionId, connection) {
      const session = byId.get(sessionId);
      if (session?.presence.kind !== 'live' || session.presence.connection !== connection) return;
      leave(session);
    },
    end,
    ofShard: ({ shardId, shardCount }) => byCount.get(shardCount)?.get(shardId) ?? [],
    shardCounts: () => byCount.keys(),
    all: () => byId.values(),
  };
}
