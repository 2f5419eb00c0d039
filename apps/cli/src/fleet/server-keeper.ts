import { type Clock, systemRandom } from '@starling/clock';
import type { RunningServer } from '@starling/harness';
import { fullJitterMs } from '@starling/lifecycle';

/** Restarts of one server in a row before the fleet is given up. */
const maxRestarts = 5;
/** A server that ran this long starts counting anew. */
const steadyMs = 30_000;

/**
 * Starts a server again when its process dies, on the same port and store, so that the fleet gets
 * over a `kill -9` of NATS or Redis as it would under an orchestrator.
 * @param options.onGaveUp called once, when it died too often in a row
 * @returns dispose it before the server is stopped for good
 */
export function keepAlive(options: {
  readonly name: string;
  readonly server: RunningServer;
  readonly clock: Clock;
  readonly say: (line: string) => void;
  readonly onGaveUp: (error: Error) => void;
}): Disposable {
  const { name, server, clock, say } = options;
  const ended = new AbortController();
  const keep = async () => {
    for (let failures = 0; ; ) {
      const sinceMs = clock.monotonicMs();
      await server.exited;
      if (ended.signal.aborted) return;
      failures = clock.monotonicMs() - sinceMs >= steadyMs ? 1 : failures + 1;
      if (failures > maxRestarts) throw new Error(`${name} died ${failures} times in a row`);
      say(`${name} died; starting it again`);
      await clock.sleep(fullJitterMs({ baseMs: 100, capMs: 5_000 }, failures, systemRandom), {
        signal: ended.signal,
      });
      await server.restart();
    }
  };
  keep().catch((error: unknown) => {
    if (ended.signal.aborted) return;
    options.onGaveUp(error instanceof Error ? error : new Error(String(error)));
  });
  return { [Symbol.dispose]: () => ended.abort() };
}
