/** Processes of the fleet whose servers are not there: they say what they wait for, then why they end. */
import { freePort, spawnApp } from '@starling/harness';
import { expect, it } from 'vitest';

it.concurrent.each([
  ['worker', { OPENAI_BASE_URL: 'http://127.0.0.1:1/v1' }],
  ['balancer', {}],
])('a %s without NATS', async (app, settings) => {
  const port = await freePort();
  const started = spawnApp({
    entry: new URL(`../../${app}/src/main.ts`, import.meta.url),
    env: {
      ...settings,
      NATS_URL: `nats://someone:hush@127.0.0.1:${port}`,
      STARLING_CONNECT_TIMEOUT_MS: '500',
      STARLING_LOG_FORMAT: 'pretty',
    },
  });
  const { message } = await started.then(
    () => new Error('it started'),
    (error: Error) => error,
  );
  const [waits, fails] = ['server.awaited', 'process.start_failed'].map((event) =>
    message.split('\n').findIndex((line) => line.includes(event)),
  );
  expect(waits).toBeGreaterThan(0);
  expect(fails).toBeGreaterThan(Number(waits));
  expect(message).toContain('ended with 1 before it was ready');
  expect(message).toContain(`address=127.0.0.1:${port} for_ms=500`);
  expect(message).toMatch(
    /NATS at 127\.0\.0\.1:\d+ cannot be reached: .* start it, or set NATS_URL to where it is/,
  );
  expect(message).not.toContain('hush');
});
