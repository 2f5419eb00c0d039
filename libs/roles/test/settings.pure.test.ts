import { defaultCoreLimits, defaultWorkerLimits } from '@starling/balance';
import { balancerSection, ConfigError, parseConfig, workerSection } from '@starling/config';
import { describe, expect, it } from 'vitest';

describe('a setting', () => {
  it('never lets reports come so rarely that a lost one voids the grants [B3]', () => {
    const everyMs = (ms: number) => ({ STARLING_REPORT_EVERY_MS: String(ms) });
    const { reportValidMs } = defaultCoreLimits;
    expect(() => parseConfig(workerSection, everyMs(reportValidMs / 2))).toThrow(ConfigError);
    expect(parseConfig(workerSection, everyMs(defaultWorkerLimits.reportMs)).reportEveryMs).toBe(
      defaultWorkerLimits.reportMs,
    );
  });

  it('never lets a run request outlast the look into the ledger [B5]', () => {
    const timeout = (ms: number) => ({ STARLING_RUN_TIMEOUT_MS: String(ms) });
    const { silenceMs } = defaultCoreLimits;
    expect(() => parseConfig(balancerSection, timeout(silenceMs))).toThrow(ConfigError);
    expect(parseConfig(balancerSection, timeout(1_000)).runTimeoutMs).toBe(1_000);
  });
});
