import { channelId, guildId, jobId, userId } from '@starling/contracts';
import { describe, expect, it } from 'vitest';
import type { Admission, AdmissionBounds, AdmissionRates, Asker, JobOwner } from '../admission.ts';

/** What the suite needs of an adapter: a fresh one, and a way to let time pass. */
export interface AdmissionUnderTest extends AsyncDisposable {
  readonly admission: Admission;
  /** Wall-clock milliseconds as the adapter counts them. */
  nowMs(): number;
  /** Lets `ms` pass as the adapter counts time. */
  pass(ms: number): Promise<void>;
}

const bounds = { perUser: 3, perGuild: 5 };
const holdMs = 60_000;

/** The nth job of a user, in a guild unless `direct`. */
function job(
  n: number,
  options: { user?: number; guild?: number; direct?: boolean } = {},
): JobOwner {
  const { direct = false, guild = 0, user = 0 } = options;
  return {
    jobId: jobId.parse(`job-${n}`),
    userId: userId.parse(String(400_000_000_000_000_000n + BigInt(user))),
    ...(!direct && { guildId: guildId.parse(String(300_000_000_000_000_000n + BigInt(guild))) }),
  };
}

const rates: AdmissionRates = {
  userPerSecond: 0,
  userBurst: 3,
  userPerMinute: 0,
  rolesPerMinute: new Map(),
  channelPerMinute: 0,
  guildPerMinute: 0,
};

/** The nth job of a user in a channel of the first guild. */
function said(n: number, options: { user?: number; channel?: number; roles?: string[] } = {}) {
  const { channel = 0, roles = [], user = 0 } = options;
  const where = channelId.parse(String(200_000_000_000_000_000n + BigInt(channel)));
  return { ...job(n, { user }), channelId: where, roles } satisfies Asker;
}

/** The promises of the port, for every adapter of the buckets. */
export function admissionSuite(
  name: string,
  open: (bounds: AdmissionBounds) => Promise<AdmissionUnderTest>,
): void {
  describe(`${name} keeps the admission's contract`, () => {
    it('admits up to the bound of a user, then says who is busy and until when', async () => {
      await using subject = await open(bounds);
      const { admission } = subject;
      const beforeMs = subject.nowMs();
      for (const n of [1, 2, 3]) {
        expect(await admission.admit(job(n), { holdMs })).toEqual({
          kind: 'admitted',
          replay: false,
        });
      }
      const refusal = await admission.admit(job(4), { holdMs });
      expect(refusal).toMatchObject({ kind: 'refused', code: 'user_busy' });
      if (refusal.kind !== 'refused') return;
      expect(refusal.retryAtMs).toBeGreaterThanOrEqual(beforeMs + holdMs);
      expect(refusal.retryAtMs).toBeLessThanOrEqual(subject.nowMs() + holdMs);
    });

    it('counts a user over all guilds and direct messages', async () => {
      await using subject = await open(bounds);
      const { admission } = subject;
      await admission.admit(job(1, { guild: 1 }), { holdMs });
      await admission.admit(job(2, { guild: 2 }), { holdMs });
      await admission.admit(job(3, { direct: true }), { holdMs });
      expect(await admission.admit(job(4, { guild: 3 }), { holdMs })).toMatchObject({
        code: 'user_busy',
      });
    });

    it('bounds a guild over all its users, and no other guild by it', async () => {
      await using subject = await open(bounds);
      const { admission } = subject;
      for (const n of [1, 2, 3, 4, 5]) await admission.admit(job(n, { user: n }), { holdMs });
      expect(await admission.admit(job(6, { user: 6 }), { holdMs })).toMatchObject({
        kind: 'refused',
        code: 'too_busy',
      });
      expect(await admission.admit(job(7, { user: 6, guild: 1 }), { holdMs })).toMatchObject({
        kind: 'admitted',
      });
    });

    it('takes no place for what it refuses', async () => {
      await using subject = await open(bounds);
      const { admission } = subject;
      for (const n of [1, 2, 3, 4, 5]) await admission.admit(job(n, { user: n }), { holdMs });
      await admission.admit(job(6, { user: 9 }), { holdMs });
      for (const n of [7, 8, 9]) {
        expect(await admission.admit(job(n, { user: 9, direct: true }), { holdMs })).toMatchObject({
          kind: 'admitted',
        });
      }
    });

    it('charges a replay of a job nothing', async () => {
      await using subject = await open(bounds);
      const { admission } = subject;
      await admission.admit(job(1), { holdMs });
      expect(await admission.admit(job(1), { holdMs })).toEqual({ kind: 'admitted', replay: true });
      for (const n of [2, 3]) {
        expect(await admission.admit(job(n), { holdMs })).toMatchObject({ kind: 'admitted' });
      }
    });

    it('has the place again once it is given back', async () => {
      await using subject = await open(bounds);
      const { admission } = subject;
      for (const n of [1, 2, 3]) await admission.admit(job(n), { holdMs });
      await admission.release(job(2));
      expect(await admission.admit(job(4), { holdMs })).toMatchObject({ kind: 'admitted' });
    });

    it('takes a second return, and one of what was never held, for nothing', async () => {
      await using subject = await open(bounds);
      const { admission } = subject;
      for (const n of [1, 2, 3]) await admission.admit(job(n), { holdMs });
      await admission.release(job(9));
      await admission.release(job(1));
      await admission.release(job(1));
      expect(await admission.admit(job(4), { holdMs })).toMatchObject({ kind: 'admitted' });
      expect(await admission.admit(job(5), { holdMs })).toMatchObject({ code: 'user_busy' });
    });

    it('frees the place of a job whose process died, when its hold expires', async () => {
      await using subject = await open(bounds);
      const { admission } = subject;
      for (const n of [1, 2, 3]) await admission.admit(job(n), { holdMs: 300 });
      await subject.pass(400);
      expect(await admission.admit(job(4), { holdMs })).toMatchObject({ kind: 'admitted' });
    });

    it('lets a user ask so often and no more, and says when again [D1] [D5]', async () => {
      const often = { ...rates, userPerSecond: 2 };
      await using subject = await open({ perUser: 100, perGuild: 100, rates: often });
      const { admission } = subject;
      for (const n of [1, 2, 3]) {
        expect(await admission.admit(said(n), { holdMs })).toMatchObject({ kind: 'admitted' });
      }
      const refusal = await admission.admit(said(4), { holdMs });
      if (refusal.kind !== 'refused') throw new Error('let through');
      expect(refusal.code).toBe('user_limited');
      const waitsMs = refusal.retryAtMs - subject.nowMs();
      expect(waitsMs).toBeGreaterThan(200);
      expect(waitsMs).toBeLessThanOrEqual(500);
      // Neither a replay of what was let through nor what was refused is charged.
      expect(await admission.admit(said(3), { holdMs })).toMatchObject({ replay: true });
      await subject.pass(waitsMs + 2);
      expect(await admission.admit(said(4), { holdMs })).toMatchObject({ kind: 'admitted' });
    });

    it('counts a channel over all its users, and a guild over its channels [D1]', async () => {
      const often = { ...rates, channelPerMinute: 3, guildPerMinute: 5 };
      await using subject = await open({ perUser: 100, perGuild: 100, rates: often });
      const { admission } = subject;
      const ask = (n: number, channel: number) =>
        admission.admit(said(n, { user: n, channel }), { holdMs });
      for (const n of [1, 2, 3]) expect(await ask(n, 1)).toMatchObject({ kind: 'admitted' });
      expect(await ask(4, 1)).toMatchObject({ kind: 'refused', code: 'channel_limited' });
      for (const n of [5, 6]) expect(await ask(n, 2)).toMatchObject({ kind: 'admitted' });
      expect(await ask(7, 2)).toMatchObject({ kind: 'refused', code: 'guild_limited' });
    });

    it('gives the members of a role their own number, whoever asked first [D1]', async () => {
      const often = { ...rates, userPerMinute: 2, rolesPerMinute: new Map([['7', 4]]) };
      await using subject = await open({ perUser: 100, perGuild: 100, rates: often });
      const { admission } = subject;
      const member = { roles: ['5', '7'] };
      const ask = (n: number, options: object) => admission.admit(said(n, options), { holdMs });
      for (const n of [1, 2]) expect(await ask(n, {})).toMatchObject({ kind: 'admitted' });
      expect(await ask(3, {})).toMatchObject({ code: 'user_limited' });
      for (const n of [4, 5]) expect(await ask(n, member)).toMatchObject({ kind: 'admitted' });
      expect(await ask(6, member)).toMatchObject({ code: 'user_limited' });
      expect(await ask(7, { user: 8 })).toMatchObject({ kind: 'admitted' });
    });

    it('holds the bound against many at once', async () => {
      await using subject = await open(bounds);
      const { admission } = subject;
      const numbers = Array.from({ length: 20 }, (_, n) => n);
      const decisions = await Promise.all(numbers.map((n) => admission.admit(job(n), { holdMs })));
      expect(decisions.filter(({ kind }) => kind === 'admitted')).toHaveLength(3);
    });
  });
}
