import type { StoredMessage } from '@starling/bus';
import { callKey, guildId, headerNames, ingressId, subjects } from '@starling/contracts';
import { describe, expect, it } from 'vitest';
import { jobsStore, ledgerBucket, originOfStored, readStoredJob } from '../src/index.ts';
import { headersOfJob, subjectOfJob } from '../src/stored-job.ts';
import { jobOf, sampleJob } from './ledger-sample.ts';

const id = jobOf(0);
const options = { tokenEstimate: 42, headers: { traceparent: '00-1-2-01' } };

function message(difference: Partial<StoredMessage> = {}): StoredMessage {
  const headers = headersOfJob(sampleJob(id), options);
  const subject = subjects.job('interactive', id);
  return { sequence: 7, subject, headers, storedAtMs: 1_234, ...difference };
}

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
        collected: false,
        guildId: '300000000000000000',
        messageId: '1400000000000000001',
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

  it('brings its call key, and does without one that is none [A8]', () => {
    const key = callKey.parse('abcdefghijklmnopqrstuv');
    const headers = headersOfJob(sampleJob(id, { callKey: key }), options);
    expect(readStoredJob(message({ headers }))).toMatchObject({
      job: { header: { callKey: key } },
    });
    const broken = readStoredJob(message({ headers: { ...headers, [headerNames.callKey]: 'x' } }));
    expect(broken.kind === 'job' && broken.job.header).not.toHaveProperty('callKey');
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
      job: { owner: 'i0', collected: true, header: { guildKey: 'caller:a-key', userKey: '*' } },
    });
  });

  it.each([
    ['a question', sampleJob(id).origin],
    [
      'a request over HTTP',
      {
        kind: 'ingress',
        ingressId: ingressId.parse('i0'),
        requestId: id,
        caller: 'a-key',
        stream: false,
      } as const,
    ],
  ])('tells without its body where the answer to %s goes', (_what, origin) => {
    const read = readStoredJob(
      message({ headers: headersOfJob(sampleJob(id, { origin }), options) }),
    );
    expect(read.kind === 'job' && originOfStored(read.job)).toEqual(origin);
  });

  it('does not guess where an answer goes when an older version did not say', () => {
    const { [headerNames.message]: _, ...headers } = message().headers;
    const read = readStoredJob(message({ headers }));
    expect(read.kind === 'job' && originOfStored(read.job)).toBeUndefined();
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

it('keeps no job for longer than the ledger remembers its end', () => {
  expect(jobsStore.maxAgeMs).toBeLessThanOrEqual(ledgerBucket.ttlMs);
});

describe('the place of a job in JOBS', () => {
  it('is one for each key of a caller, whatever the lane; others have their lane in it', () => {
    const origin = {
      kind: 'ingress',
      ingressId: ingressId.parse('i0'),
      requestId: 'r',
      caller: 'a-key',
      stream: true,
    } as const;
    const lanes = ['interactive', 'batch'] as const;
    expect(lanes.map((lane) => subjectOfJob(sampleJob(id, { lane, origin })))).toEqual(
      Array(2).fill(`jobs.ingress.${id}`),
    );
    expect(subjectOfJob(sampleJob(id, { lane: 'batch' }))).toBe(`jobs.batch.${id}`);
  });
});
