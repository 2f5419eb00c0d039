import type { Clock } from '@starling/clock';
import type { Admission, AdmissionBounds, AdmissionDecision } from './admission.ts';

/** Users and guilds watched at most; the stalest is forgotten beyond it, which only lets work in. */
const maxHolders = 20_000;

/** Admission within one process: the embedded mode, and what is left while Redis is away. */
export function createMemoryAdmission(
  options: AdmissionBounds & { readonly clock: Clock },
): Admission {
  const { clock, perGuild, perUser } = options;
  const users = new Holders();
  const guilds = new Holders();

  return {
    async admit({ jobId, userId, guildId }, { holdMs }) {
      const nowMs = clock.nowMs();
      const ofUser = users.alive(userId, nowMs);
      if (ofUser.has(jobId)) return { kind: 'admitted', replay: true };
      if (ofUser.size >= perUser) return refused('user_busy', ofUser);
      if (guildId !== undefined) {
        const ofGuild = guilds.alive(guildId, nowMs);
        if (ofGuild.size >= perGuild) return refused('too_busy', ofGuild);
        ofGuild.set(jobId, nowMs + holdMs);
      }
      ofUser.set(jobId, nowMs + holdMs);
      return { kind: 'admitted', replay: false };
    },
    async release({ jobId, userId, guildId }) {
      users.release(userId, jobId);
      if (guildId !== undefined) guilds.release(guildId, jobId);
    },
  };
}

/** Job to the end of its hold, wall-clock milliseconds. */
type Holds = Map<string, number>;

function refused(code: 'user_busy' | 'too_busy', holds: Holds): AdmissionDecision {
  return { kind: 'refused', code, retryAtMs: Math.min(...holds.values()) };
}

class Holders {
  readonly #holds = new Map<string, Holds>();

  /** The holds that have not expired. The map keeps them in order of use, stalest first. */
  alive(holder: string, nowMs: number): Holds {
    const holds = this.#holds.get(holder) ?? new Map();
    for (const [jobId, untilMs] of holds) if (untilMs <= nowMs) holds.delete(jobId);
    this.#holds.delete(holder);
    this.#holds.set(holder, holds);
    const stalest = this.#holds.keys().next();
    if (this.#holds.size > maxHolders && !stalest.done) this.#holds.delete(stalest.value);
    return holds;
  }

  release(holder: string, jobId: string): void {
    const holds = this.#holds.get(holder);
    holds?.delete(jobId);
    if (holds?.size === 0) this.#holds.delete(holder);
  }
}
