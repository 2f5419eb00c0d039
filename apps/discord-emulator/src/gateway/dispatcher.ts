import type { Clock } from '@starling/clock';
import type { Dispatch, Dispatcher, RecordKeeper } from '../core/ports.ts';
import { shardOf } from '../core/snowflake.ts';
import type { World } from '../core/world.ts';
import type { ShardPlace } from '../faults/fault-schedule.ts';
import { seesContent, withoutContent } from './message-content.ts';
import type { Session, SessionStore } from './session.ts';

export interface SessionDispatcher extends Dispatcher {
  /** An event for one session alone, for example READY. */
  toSession(session: Session, event: { name: string; body: string | (() => string) }): void;
}

/** Pairs of sessions convicted already; past this, pairs may be convicted twice. */
const maxPairs = 10_000;

/** Gives each event to the sessions of its shard, under every shard count that is in use. */
export function createDispatcher(parts: {
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly world: World;
  readonly sessions: SessionStore;
  readonly record: RecordKeeper;
}): SessionDispatcher {
  const { sessions, record } = parts;
  const botId = parts.world.bot.id;
  const convicted = new Set<string>();

  /** Several live sessions of one shard under one count each handle the event: users see it twice. */
  function judgeTwins(place: ShardPlace, live: readonly Session[], name: string): void {
    const ids = live.map(({ id }) => id).sort();
    const pair = ids.join(' ');
    if (ids.length < 2 || convicted.has(pair)) return;
    if (convicted.size >= maxPairs) convicted.clear();
    convicted.add(pair);
    record.violation({
      rule: 'two_sessions_for_a_shard',
      atMs: parts.clock.nowMs(),
      detail: { shard: [place.shardId, place.shardCount], sessionIds: ids, event: name },
    });
  }

  function append(session: Session, event: Parameters<Session['log']['append']>[0]): void {
    record.count('dispatches');
    session.log.append(event);
    if (session.presence.kind === 'live') session.presence.connection.flush();
  }

  return {
    dispatch(event: Dispatch) {
      const wholeBody = once(() => JSON.stringify(event.data));
      const hiddenBody = once(() => JSON.stringify(withoutContent(event.data, botId)));
      const interactionId = event.name === 'INTERACTION_CREATE' ? String(event.data.id) : undefined;
      let taken = 0;
      for (const shardCount of sessions.shardCounts()) {
        const place = { shardId: shardOf(event.guildId, shardCount), shardCount };
        const takers = [...sessions.ofShard(place)].filter(
          ({ intents }) => event.intents === 0 || (intents & event.intents) !== 0,
        );
        for (const session of takers) {
          const sees = seesContent(event, { intents: session.intents, botId });
          append(session, {
            name: event.name,
            body: sees ? wholeBody() : hiddenBody(),
            ...(interactionId !== undefined && { interactionId }),
          });
        }
        taken += takers.length;
        const live = takers.filter(({ presence }) => presence.kind === 'live');
        judgeTwins(place, live, event.name);
      }
      if (taken === 0) record.count('unowned_dispatches');
      return taken;
    },
    toSession: append,
  };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
