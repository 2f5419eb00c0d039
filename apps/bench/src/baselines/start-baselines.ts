import { join } from 'node:path';
import type { BenchContext } from '../benchmark.ts';
import { startHaproxy } from './haproxy.ts';
import { startPortkey } from './portkey.ts';
import type { Target } from './target.ts';

/**
 * Starts the baselines that stand before the provider. One that cannot be had here is left out, and
 * said so: its rows stay empty, and a comparison with it counts as not reached.
 */
export async function startBaselines(
  stack: AsyncDisposableStack,
  context: BenchContext,
): Promise<readonly Target[]> {
  const { provider, environment, clock, say, signal } = context;
  const starts: Readonly<Record<string, () => Promise<Target>>> = {
    haproxy: () => startHaproxy(provider, { backends: 2 }),
    portkey: () =>
      startPortkey(provider, {
        cacheDir: join(context.cacheDir, 'portkey'),
        environment,
        clock,
        say,
        signal,
      }),
  };
  const targets: Target[] = [];
  for (const [name, start] of Object.entries(starts)) {
    try {
      targets.push(stack.use(await start()));
    } catch (error) {
      signal.throwIfAborted();
      say(`✖ no ${name} here: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return targets;
}
