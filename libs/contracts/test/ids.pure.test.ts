import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  clusterId,
  correlationId,
  errorCodes,
  errorMeanings,
  type GuildId,
  guildId,
  jobId,
  subjects,
  type UserId,
  userId,
  workerId,
} from '../src/index.ts';

describe('ids', () => {
  it.each(['123456789012345678', '00000000000000000', '12345678901234567890'])(
    'takes the snowflake %s',
    (id) => {
      expect(guildId.parse(id)).toBe(id);
    },
  );

  it.each(['', '1234', '123456789012345678901', '12345678901234567x', '-12345678901234567'])(
    'takes no other guild id: %j',
    (id) => {
      expect(guildId.safeParse(id).error?.issues[0]?.message).toBe(
        'is not a Discord guild id (17 to 20 digits)',
      );
    },
  );

  it.each(['0123abcd', 'ffffffff'])('takes the correlation id %s', (id) => {
    expect(correlationId.parse(id)).toBe(id);
  });

  it.each(['0123ABCD', '0123abc', '0123abcde', '0123abcg'])('takes no other: %s', (id) => {
    expect(correlationId.safeParse(id).success).toBe(false);
  });

  it('cannot be swapped: each kind is a type of its own', () => {
    expectTypeOf<GuildId>().not.toExtend<UserId>();
    expectTypeOf(userId.parse('123456789012345678')).toEqualTypeOf<UserId>();
  });

  it('makes subjects of as many parts as they say, without wildcards', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 70 }), (any) => {
        const worker = workerId.safeParse(any);
        const job = jobId.safeParse(any);
        const cluster = clusterId.safeParse(any);
        if (!worker.success || !job.success || !cluster.success) {
          expect(any).not.toMatch(/^[\w-]{1,64}$/);
          return;
        }
        const made = [
          subjects.run(worker.data),
          subjects.job('dm', job.data),
          subjects.frame(cluster.data, job.data, 3),
        ];
        expect(made.map((subject) => subject.split('.').length)).toEqual([3, 3, 4]);
        expect(made.join()).not.toMatch(/[*>\s]/);
      }),
    );
  });
});

describe('error codes', () => {
  it.each(errorCodes)('%s has a calm text for the user, without internals [F10]', (code) => {
    const { userText } = errorMeanings[code];
    expect(userText).toMatch(/^[A-Z].*\.$/);
    expect(userText).not.toMatch(/error|fail|invalid|exception|HTTP|NATS|Redis|null|undefined/i);
    expect(userText.length).toBeLessThan(120);
  });
});
