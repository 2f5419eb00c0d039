import { guildId, jobId, userId } from '@starling/contracts';
import { describe, expect, it } from 'vitest';
import type { Admission, AdmissionBounds, JobOwner } from '../admission.ts';

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

/** The promises of the port, for every adapter. */
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

    it('holds the bound against many at once', async () => {
      await using subject = await open(bounds);
      const { admission } = subject;
      const numbers = Array.from({ length: 20 }, (_, n) => n);
      const decisions = await Promise.all(numbers.map((n) => admission.admit(job(n), { holdMs })));
      expect(decisions.filter(({ kind }) => kind === 'admitted')).toHaveLength(3);
    });
  });
}
