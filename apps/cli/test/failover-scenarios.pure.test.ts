import { expect, it } from 'vitest';
import { failoverScenarios } from '../src/chaos/providers/failover-scenarios.ts';
import { isProviderScenario } from '../src/chaos/providers/provider-chaos.ts';

it('has a scenario for every way in which a provider is known to fail [C3] [C5] [C6]', () => {
  const names = failoverScenarios.map(({ name }) => name);
  expect(names).toEqual([...new Set(names)]);
  expect(names).toEqual(
    expect.arrayContaining([
      ...['connection-refused', 'dns-failure', 'tls-failure', 'header-stall', 'first-token-stall'],
      ...['mid-stream-stall', 'truncated-stream', 'error-in-stream', '400', '401', '402', '403'],
      ...['404', '408', '429', '429-retry-after', '500', '502-html', '503', '529'],
      ...['garbage-json', 'huge-chunk', 'endless-stream', 'wrong-content-type', 'no-usage'],
    ]),
  );
  // Only what no rung can help, and a stream that is an answer until it is cut, end in a note.
  const notes = failoverScenarios.filter(({ sees }) => sees === 'note');
  expect(notes.map(({ name }) => name)).toEqual(['400', 'endless-stream']);
});

it('is a scenario of its own beside those of processes', () => {
  expect(isProviderScenario('failover')).toBe(true);
  expect(isProviderScenario('provider-faults')).toBe(true);
  expect(isProviderScenario('toString')).toBe(false);
});
