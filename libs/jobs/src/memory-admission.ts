import type { Clock } from '@starling/clock';
import type { JobId } from '@starling/contracts';
import type { Admission, AdmissionBounds } from './admission.ts';
import { admissionStep, type Holds } from './admission-step.ts';

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
      const before = {
        user: users.of(userId),
        guild: guildId === undefined ? undefined : guilds.of(guildId),
      };
      const asked = { jobId, holdMs, perUser, perGuild };
      const { decision, held } = admissionStep(before, asked, clock.nowMs());
      users.keep(userId, held.user);
      if (guildId !== undefined && held.guild) guilds.keep(guildId, held.guild);
      return decision;
    },
    async release({ jobId, userId, guildId }) {
      users.release(userId, jobId);
      if (guildId !== undefined) guilds.release(guildId, jobId);
    },
  };
}

/** Users, or guilds, with what each holds, in order of use. */
class Holders {
  readonly #holds = new Map<string, Holds>();

  of(holder: string): Holds {
    return this.#holds.get(holder) ?? none;
  }

  keep(holder: string, holds: Holds): void {
    this.#holds.delete(holder);
    if (holds.size > 0) this.#holds.set(holder, holds);
    const stalest = this.#holds.keys().next();
    if (this.#holds.size > maxHolders && !stalest.done) this.#holds.delete(stalest.value);
  }

  release(holder: string, jobId: JobId): void {
    const holds = new Map(this.of(holder));
    if (!holds.delete(jobId)) return;
    if (holds.size > 0) this.#holds.set(holder, holds);
    else this.#holds.delete(holder);
  }
}

const none: Holds = new Map();
