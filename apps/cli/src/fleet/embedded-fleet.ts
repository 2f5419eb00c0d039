/** The embedded fleet: all roles in one process; the emulators, which are not Starling, beside it. */
import { exchangeContract } from '@starling/contracts';
import { z } from 'zod';
import { ExchangeLog } from './exchange-log.ts';
import type { FleetOptions, RunningFleet } from './fleet.ts';
import { emulatorDoors, startEmulators } from './local-fleet.ts';
import { PartRunner } from './part-runner.ts';
import { embedded } from './part-specs.ts';

const exchangeMessage = z.object({ exchange: exchangeContract.schema });

/** Starts the emulators, then the one process; on a failure nothing stays behind. */
export async function startEmbeddedFleet(options: FleetOptions): Promise<RunningFleet> {
  await using starting = new AsyncDisposableStack();
  const runner = starting.use(new PartRunner(options));
  const emulators = starting.use(await startEmulators(runner, options));
  const exchanges = new ExchangeLog(options.clock);
  starting.defer(() => exchanges.read());
  const process = await runner.run(embedded(emulators), (message) => {
    const parsed = exchangeMessage.safeParse(message);
    if (parsed.success) exchanges.add(parsed.data.exchange);
  });
  starting.use(process);
  const owned = starting.move();
  return {
    mode: 'embedded',
    exchanges,
    failed: runner.failed,
    ...emulatorDoors(emulators),
    parts: () => runner.parts(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
