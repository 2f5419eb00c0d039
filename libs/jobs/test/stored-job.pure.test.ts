import type { StoredMessage } from '@starling/bus';
import { guildId, headerNames, ingressId, subjects } from '@starling/contracts';
import { describe, expect, it } from 'vitest';
import {
  endedButStored,
  jobsPastDeadline,
  jobsStore,
  type LedgerRead,
  ledgerBucket,
  readStoredJob,
  type StoredJob,
} from '../src/index.ts';
import { headersOfJob } from '../src/stored-job.ts';
import { failed, jobOf, sampleJob } from './ledger-sample.ts';

const id = jobOf(0);
const options = { tokenEstimate: 42, headers: { traceparent: '00-1-2-01' } };

function message(difference: Partial<StoredMessage> = {}): StoredMessage {
  const headers = headersOfJob(sampleJob(id), options);
  const subject = subjects.job('interactive', id);
  return { sequence: 7, subject, headers, storedAtMs: 1_234, ...difference };
}

const stored = (n: number, deadlineAtMs: number): StoredJob => {
  const job = sampleJob(jobOf(n), { deadlineAtMs });
  const subject = subjects.job(job.lane, job.jobId);
  const read = readStoredJob(message({ subject, headers: headersOfJob(job, options) }));
  return read.kind === 'job' ? read.job : expect.fail();
};

describe('a stored job', () => {
  it('is read from its headers as it was accepted', () => {
    const { origin } = sampleJob(id);
    if (origin.kind !== 'discord') return expect.fail();
    const guild = guildId.parse('300000000000000000');
    const inGuild = sampleJob(id, { origin: { ...origin, guildId: guild }, model: 'm' });
    expect(readStoredJob(message({ headers: headersOfJob(inGuild, options) }))).toEqual({
      kind: 'job',
      job: {
        sequence: 7,
        owner: 'c0',
        guildId: '300000000000000000',
        header: {
          jobId: id,
          lane: 'interactive',
          guildKey: '300000000000000000',
          userKey: '400000000000000000',
          conversationKey: '200000000000000000',
          tokenEstimate: 42,
          model: 'm',
          acceptedAtMs: 1_234,
          deadlineAtMs: 61_000,
        },
      },
    });
  });

  it('shares as its user in a direct message, and as its caller from an ingress', () => {
    const direct = readStoredJob(message());
    expect(direct).toMatchObject({ job: { header: { guildKey: '400000000000000000' } } });
    const origin = {
      kind: 'ingress',
      ingressId: ingressId.parse('i0'),
      requestId: 'r',
      caller: 'a-key',
      stream: true,
    } as const;
    const headers = headersOfJob(sampleJob(id, { origin }), options);
    expect(readStoredJob(message({ headers }))).toMatchObject({
      job: { owner: 'i0', header: { guildKey: 'a-key', userKey: 'a-key' } },
    });
  });

  it('is left to a newer process when it is of a newer version', () => {
    const headers = { [headerNames.version]: '2' };
    expect(readStoredJob(message({ headers }))).toEqual({ kind: 'newer' });
  });

  it.each([
    ['no headers', { headers: {} }],
    [
      'an estimate that is none',
      { headers: { ...message().headers, [headerNames.tokenEstimate]: 'x' } },
    ],
    ['a lane of nobody', { headers: { ...message().headers, [headerNames.lane]: 'slow' } }],
    ['a subject without a job', { subject: 'jobs.dm.a b' }],
  ])('says so when it has %s', (_what, difference) => {
    expect(readStoredJob(message(difference))).toMatchObject({ kind: 'invalid' });
  });
});

describe('the reconciler’s view', () => {
  it('finds the jobs that should have ended', () => {
    const jobs = [stored(1, 1_000), stored(2, 2_000), stored(3, 3_000)];
    const late = jobsPastDeadline(jobs, { nowMs: 2_500, graceMs: 500 });
    expect(late.map(({ header }) => header.jobId)).toEqual([jobOf(1), jobOf(2)]);
  });

  it('finds the jobs that ended a while ago and were not removed', () => {
    const jobs = [1, 2, 3, 4].map((n) => stored(n, 60_000));
    const endAt = (n: number, atMs: number) =>
      [jobOf(n), { kind: 'end', revision: n, end: failed(jobOf(n), 1, atMs) }] as const;
    const ledger = new Map<typeof id, LedgerRead>([
      endAt(1, 10_000),
      endAt(2, 10_001),
      [jobOf(3), { kind: 'none' }],
    ]);
    const found = endedButStored(jobs, ledger, { nowMs: 25_000, undeliveredForMs: 15_000 });
    expect(found.map(({ header }) => header.jobId)).toEqual([jobOf(1)]);
  });
});

it('keeps no job for longer than the ledger remembers its end', () => {
  expect(jobsStore.maxAgeMs).toBeLessThanOrEqual(ledgerBucket.ttlMs);
});
