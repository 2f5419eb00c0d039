/** The embedded fleet: all roles in one process; the emulators, which are not Starling, beside it. */
import { SignalBoard } from '@starling/balance';
import { balancerHeartbeatContract, exchangeContract } from '@starling/contracts';
import { z } from 'zod';
import { ExchangeLog } from './exchange-log.ts';
import type { FleetOptions, RunningFleet } from './fleet.ts';
import { emulatorDoors, startEmulators } from './local-fleet.ts';
import { PartRunner } from './part-runner.ts';
import { embedded } from './part-specs.ts';

const exchangeMessage = z.object({ exchange: exchangeContract.schema });
const heartbeatMessage = z.object({ heartbeat: balancerHeartbeatContract.schema });

/** Starts the emulators, then the one process; on a failure nothing stays behind. */
export async function startEmbeddedFleet(options: FleetOptions): Promise<RunningFleet> {
  await using starting = new AsyncDisposableStack();
  const runner = starting.use(new PartRunner(options));
  const emulators = starting.use(await startEmulators(runner, options));
  const { clock } = options;
  const board = new SignalBoard();
  const exchanges = new ExchangeLog(clock);
  starting.defer(() => exchanges.read());
  const process = await runner.run(embedded(emulators), (message) => {
    const parsed = exchangeMessage.safeParse(message);
    if (parsed.success) exchanges.add(parsed.data.exchange);
    const beat = heartbeatMessage.safeParse(message);
    if (beat.success) board.heard(beat.data.heartbeat, clock.monotonicMs());
  });
  starting.use(process);
  const owned = starting.move();
  return {
    mode: 'embedded',
    exchanges,
    load: () => board.signal(clock.monotonicMs()),
    failed: runner.failed,
    ...emulatorDoors(emulators),
    parts: () => runner.parts(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
