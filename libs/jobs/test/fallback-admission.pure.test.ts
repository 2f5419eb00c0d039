import { SimulatedClock } from '@starling/clock';
import { jobId, userId } from '@starling/contracts';
import { captureTelemetry } from '@starling/telemetry/testing';
import { describe, expect, it } from 'vitest';
import { withFallback } from '../src/fallback-admission.ts';
import { createMemoryAdmission } from '../src/memory-admission.ts';

const job = (n: number) => ({
  jobId: jobId.parse(`job-${n}`),
  userId: userId.parse('400000000000000000'),
});

describe('withFallback', () => {
  it('bounds by this process while the store is away, and says so once each way', async () => {
    await using telemetry = captureTelemetry();
    const clock = new SimulatedClock();
    const bounds = { clock, perUser: 2, perGuild: 30 };
    const shared = createMemoryAdmission(bounds);
    let away = true;
    const flaky = {
      admit: (...args: Parameters<typeof shared.admit>) =>
        away ? Promise.reject(new Error('connection lost')) : shared.admit(...args),
      release: (...args: Parameters<typeof shared.release>) =>
        away ? Promise.reject(new Error('connection lost')) : shared.release(...args),
    };
    const admission = withFallback({ shared: flaky, local: createMemoryAdmission(bounds) });

    const kinds: string[] = [];
    for (const n of [1, 2, 3]) {
      kinds.push((await admission.admit(job(n), { holdMs: 1000 })).kind);
    }
    expect(kinds).toEqual(['admitted', 'admitted', 'refused']);
    await admission.release(job(1));
    expect(await admission.admit(job(4), { holdMs: 1000 })).toMatchObject({ kind: 'admitted' });

    away = false;
    expect(await admission.admit(job(5), { holdMs: 1000 })).toMatchObject({ kind: 'admitted' });
    const events = telemetry.lines.map(({ level, event }) => `${level} ${event}`);
    expect(events).toEqual(['warn admission.degraded', 'ok admission.recovered']);
  });
});
