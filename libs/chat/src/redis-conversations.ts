import { readFileSync } from 'node:fs';
import type { ChannelId, MessageId } from '@starling/contracts';
import { loadScript, type RedisConnection, RedisError, type RedisReply } from '@starling/redis';
import { counter, log } from '@starling/telemetry';
import type { ConversationBounds, Conversations, Turn } from './conversations.ts';
import { turnsOf } from './memory-conversations.ts';
import { readTurn, storedTurn } from './stored-turn.ts';

const lua = readFileSync(new URL('./append-turn.lua', import.meta.url), 'utf8');
const logger = log('conversations');
const quarantined = counter('starling.conversation.quarantined');

/** What cannot be read is kept apart for so long, for whoever wants to know how it came there. */
const quarantineMs = 86_400_000;
/** Unreadable turns of one channel that are kept apart. */
const maxQuarantined = 20;

/** Conversations that every cluster shares and that outlive processes. One round trip each way. */
export function createRedisConversations(
  options: ConversationBounds & { readonly redis: RedisConnection },
): Conversations {
  const { redis, ttlMs } = options;
  const maxTurns = turnsOf(options.maxMessages);
  const append = loadScript(redis, { name: 'append-turn', lua, keys: 1 });

  /** Nobody waits for it: the question at hand goes on without what cannot be read. */
  const setAside = (key: string, commands: readonly Promise<RedisReply>[]) => {
    quarantined.add(1);
    logger.warn('turn.quarantined', { key });
    Promise.all(commands).catch((error: unknown) => logger.warn('turn.not_set_aside', { error }));
  };
  const setTurnAside = (key: string, stored: string) =>
    setAside(key, [
      redis.command('ZREM', key, stored),
      redis.command('LPUSH', `${key}:quarantine`, stored),
      redis.command('LTRIM', `${key}:quarantine`, 0, maxQuarantined - 1),
      redis.command('PEXPIRE', `${key}:quarantine`, quarantineMs),
    ]);
  /** The whole key is something else: no turn can be read from it, nor be added to it. */
  const setKeyAside = (key: string) =>
    setAside(key, [
      redis.command('RENAME', key, `${key}:unknown`),
      redis.command('PEXPIRE', `${key}:unknown`, quarantineMs),
    ]);

  return {
    async recent(channel) {
      const key = keyOf(channel);
      const turns: Turn[] = [];
      for (const stored of await newest(redis, key, maxTurns, setKeyAside)) {
        const turn = readTurn(stored);
        if (turn) turns.push(turn);
        else setTurnAside(key, String(stored));
      }
      return turns;
    },
    async append(channel, turn) {
      const { messageId } = turn;
      const beginning = `{"messageId":${JSON.stringify(messageId)},`;
      const json = JSON.stringify(storedTurn(turn));
      await append([keyOf(channel)], [writtenAtMs(messageId), beginning, json, maxTurns, ttlMs]);
    },
  };
}

async function newest(
  redis: RedisConnection,
  key: string,
  maxTurns: number,
  setKeyAside: (key: string) => void,
): Promise<readonly RedisReply[]> {
  try {
    const reply = await redis.command('ZRANGE', key, -maxTurns, -1);
    return Array.isArray(reply) ? reply : [];
  } catch (error) {
    if (!(error instanceof RedisError) || !error.message.includes('WRONGTYPE')) throw error;
    setKeyAside(key);
    return [];
  }
}

function keyOf(channel: ChannelId): string {
  return `starling:conversation:${channel}`;
}

/** Milliseconds since Discord's epoch: a snowflake's first 42 bits. */
function writtenAtMs(message: MessageId): number {
  return Number(BigInt(message) >> 22n);
}
