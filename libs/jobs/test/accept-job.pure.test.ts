import { BusError, createMemoryBus, type JobStore } from '@starling/bus';
import { SimulatedClock } from '@starling/clock';
import {
  channelId,
  clusterId,
  decode,
  guildId,
  headerNames,
  type Job,
  jobContract,
  jobId,
  messageId,
  userId,
} from '@starling/contracts';
import { describe, expect, it } from 'vitest';
import { acceptJob } from '../src/accept-job.ts';
import { jobsStore } from '../src/jobs-store.ts';

function job(difference: Partial<Job> = {}): Job {
  return {
    jobId: jobId.parse('1400000000000000001'),
    lane: 'interactive',
    origin: {
      kind: 'discord',
      clusterId: clusterId.parse('c0'),
      guildId: guildId.parse('300000000000000000'),
      channelId: channelId.parse('200000000000000000'),
      messageId: messageId.parse('1400000000000000001'),
      userId: userId.parse('400000000000000000'),
    },
    messages: [{ role: 'user', content: 'hello' }],
    maxCompletionTokens: 100,
    acceptedAtMs: 1,
    deadlineAtMs: 60_001,
    ...difference,
  };
}

const headers = { [headerNames.correlationId]: 'abcdef01' };

const asStored = {
  'starling-correlation-id': 'abcdef01',
  'starling-version': '1',
  'starling-owner': 'c0',
  'starling-lane': 'interactive',
  'starling-guild': '300000000000000000',
  'starling-user': '400000000000000000',
  'starling-conversation': '200000000000000000',
  'starling-message': '1400000000000000001',
  'starling-deadline': '60001',
  'starling-token-estimate': '42',
};

/** A store that answers as told, one outcome a call. */
function scripted(outcomes: (BusError | { duplicate: boolean; sequence: number })[]) {
  const calls: string[] = [];
  const store: Pick<JobStore, 'put'> = {
    async put(_subject, _payload, { id }) {
      calls.push(id);
      const outcome = outcomes.shift();
      if (!outcome || outcome instanceof BusError) throw outcome ?? new BusError('timeout', 'gone');
      return outcome;
    },
  };
  return { store, calls };
}

describe('acceptJob', () => {
  it('stores the job once under its event’s id, with what the balancer needs in headers [B5]', async () => {
    const clock = new SimulatedClock();
    await using bus = createMemoryBus({ clock });
    const store = await bus.openJobStore(jobsStore);
    const options = { store, clock, tokenEstimate: 42, headers, retryForMs: 5000 };
    const first = { kind: 'accepted', duplicate: false, sequence: 1 };
    expect(await acceptJob(job(), options)).toEqual(first);
    expect(await acceptJob(job(), options)).toEqual({ ...first, duplicate: true });
    expect(await store.size()).toBe(1);
    const message = await store.read(1);
    expect(message).toMatchObject({ subject: `jobs.interactive.${job().jobId}` });
    expect(message?.headers).toEqual(asStored);
    expect(decode(jobContract, message?.payload ?? new Uint8Array())).toEqual({
      ok: true,
      value: job(),
    });
    // Its id is known no more, but its subject holds it.
    await clock.advance(jobsStore.dedupeWindowMs);
    expect(await acceptJob(job(), options)).toEqual({ ...first, duplicate: true });
  });

  it('asks again until the PubAck comes, and takes its own earlier try for no replay', async () => {
    const clock = new SimulatedClock();
    const { calls, store } = scripted([
      new BusError('timeout', 'no PubAck'),
      new BusError('unreachable', 'reconnecting'),
      { duplicate: true, sequence: 7 },
    ]);
    const accepting = acceptJob(job(), {
      store,
      clock,
      tokenEstimate: 1,
      headers,
      retryForMs: 5000,
    });
    await clock.advance(1000);
    expect(await accepting).toEqual({ kind: 'accepted', duplicate: false, sequence: 7 });
    expect(calls).toEqual([job().jobId, job().jobId, job().jobId]);
  });

  it('refuses once its bound is reached', async () => {
    const clock = new SimulatedClock();
    const { calls, store } = scripted([]);
    const accepting = acceptJob(job(), {
      store,
      clock,
      tokenEstimate: 1,
      headers,
      retryForMs: 1000,
    });
    await clock.advance(10_000);
    expect(await accepting).toMatchObject({ kind: 'refused', code: 'no_worker' });
    expect(calls).toHaveLength(10);
  });

  it('refuses as too long what does not fit a job, and stores nothing of it', async () => {
    const { calls, store } = scripted([]);
    const messages = [{ role: 'user' as const, content: 'x'.repeat(300_000) }];
    const options = {
      ...{ store, headers, tokenEstimate: 1, retryForMs: 5000 },
      clock: new SimulatedClock(),
    };
    expect(await acceptJob(job({ messages }), options)).toMatchObject({
      kind: 'refused',
      code: 'too_long',
    });
    expect(calls).toEqual([]);
  });

  it('refuses at once what a full store will not take, or what is too large', async () => {
    const clock = new SimulatedClock();
    for (const [code, refusal] of [
      ['full', 'too_busy'],
      ['too_large', 'too_long'],
    ] as const) {
      const { calls, store } = scripted([new BusError(code, code)]);
      const options = { store, clock, tokenEstimate: 1, headers, retryForMs: 5000 };
      expect(await acceptJob(job(), options)).toMatchObject({ kind: 'refused', code: refusal });
      expect(calls).toHaveLength(1);
    }
  });
});
