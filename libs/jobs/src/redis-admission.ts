import { readFileSync } from 'node:fs';
import { loadScript, type RedisConnection, type RedisReply } from '@starling/redis';
import type { Admission, AdmissionBounds, AdmissionDecision, JobOwner } from './admission.ts';

const lua = readFileSync(new URL('./admit.lua', import.meta.url), 'utf8');

/** Admission shared by every cluster: one script, one round trip. */
export function createRedisAdmission(
  options: AdmissionBounds & { readonly redis: RedisConnection },
): Admission {
  const { perGuild, perUser, redis } = options;
  const admit = loadScript(redis, { name: 'admit', lua, keys: 2 });

  return {
    async admit(owner, { holdMs }) {
      const bounds = [perUser, owner.guildId === undefined ? 0 : perGuild];
      return decisionOf(await admit(keysOf(owner), [owner.jobId, holdMs, ...bounds]));
    },
    async release(owner) {
      await Promise.all(keysOf(owner).map((key) => redis.command('ZREM', key, owner.jobId)));
    },
  };
}

function keysOf({ userId, guildId }: JobOwner): readonly string[] {
  return [`starling:admission:user:${userId}`, `starling:admission:guild:${guildId ?? 'none'}`];
}

function decisionOf(reply: RedisReply): AdmissionDecision {
  const [word, retryAtMs] = Array.isArray(reply) ? reply : [];
  switch (word) {
    case 'admitted':
    case 'replay':
      return { kind: 'admitted', replay: word === 'replay' };
    case 'user':
    case 'guild':
      return {
        kind: 'refused',
        code: word === 'user' ? 'user_busy' : 'too_busy',
        retryAtMs: Number(retryAtMs),
      };
    default:
      throw new TypeError('the admission script answered something else');
  }
}
