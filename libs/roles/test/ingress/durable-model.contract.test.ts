import { systemClock as clock } from '@starling/clock';
import { balancerId, ingressId } from '@starling/contracts';
import { failedEnd } from '@starling/jobs';
import { expect, it } from 'vitest';
import { openJobs } from '../../src/delivery/open-jobs.ts';
import { keyedJobId } from '../../src/ingress/durable-key.ts';
import { IngressBench } from './ingress-bench.ts';

it('tells a durable request its end when nobody serves its model any more [B1] [B5]', async () => {
  await using bench = await IngressBench.start();
  const jobs = await openJobs({ bus: bench.bus, clock });
  await bench.home({ models: ['m'] });
  const ask = async (key: string) => {
    const headers = { 'x-starling-durable': 'true', 'idempotency-key': key };
    const reply = await bench.chat({ model: 'gone' }, { headers });
    return ((await reply.json()) as { error: { code: string } }).error.code;
  };
  const jobId = keyedJobId({ caller: 'tests', key: 'asked before' });
  const by = { ingressId: ingressId.parse('ingress-t'), requestId: 'r', caller: 'tests' };
  const origin = { kind: 'ingress', ...by, stream: false } as const;
  const endedBy = balancerId.parse('b');
  const job = { jobId, origin, acceptedAtMs: clock.nowMs() };
  const why = { code: 'provider_refused', attempt: 1, endedBy, atMs: clock.nowMs() } as const;
  await jobs.ledger.end(jobId, failedEnd(job, why), undefined);

  expect(await ask('asked before')).toBe('provider_refused');
  expect(await ask('new')).toBe('model_not_found');
  expect(await jobs.store.size()).toBe(0);
});
