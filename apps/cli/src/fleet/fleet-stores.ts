import { type Bus, connectNats } from '@starling/bus';
import { systemClock } from '@starling/clock';
import { type JobStores, openJobStores } from '@starling/jobs';
import { type OptionSpec, type ParsedArguments, UsageError } from '../arguments.ts';
import type { CommandContext } from '../command.ts';
import { planFleet } from './plan.ts';
import { readRunFile } from './run-file.ts';

/** The jobs of a running fleet and the bus that its processes hear. Disposing it disconnects. */
export interface FleetStores extends JobStores, AsyncDisposable {
  readonly bus: Bus;
}

/** There is no store to look into; says why, and what to do. */
export class NoStoresError extends Error {
  override readonly name = 'NoStoresError';
}

/** For a command that needs the stores of a fleet that may run elsewhere. */
export const natsOption: Readonly<Record<'nats', OptionSpec>> = {
  nats: {
    type: 'string',
    value: 'URL',
    doc: 'the NATS server of the fleet; the one that runs here',
  },
};

/** A person waits at the command. */
const connectTimeoutMs = 5_000;

/**
 * Opens the stores of the fleet that runs here, or of the server named by `--nats`.
 * @throws {NoStoresError} when no fleet runs here, or an embedded one
 * @throws {BusError} when the server does not answer
 */
export async function openFleetStores(
  args: ParsedArguments,
  context: CommandContext,
): Promise<FleetStores> {
  const url = natsUrlOf(args.text('nats')) ?? (await runningNats(context));
  await using starting = new AsyncDisposableStack();
  const clock = systemClock;
  const bus = starting.use(
    await connectNats({ url, name: 'starling-operator', connectTimeoutMs, clock }),
  );
  const stores = await openJobStores({ bus, clock });
  const owned = starting.move();
  return { ...stores, bus, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function natsUrlOf(given: string | undefined): string | undefined {
  if (given === undefined || /^(nats|tls):$/.test(URL.parse(given)?.protocol ?? '')) return given;
  throw new UsageError(`--nats ${given}: give an address such as nats://127.0.0.1:4222`);
}

async function runningNats({ environment }: CommandContext): Promise<string> {
  const running = await readRunFile(planFleet(environment).directory);
  if (!running) {
    throw new NoStoresError(
      'No fleet runs here. Start one in another terminal (npm start), or name its server: --nats URL',
    );
  }
  if (running.natsUrl) return running.natsUrl;
  throw new NoStoresError(
    'The fleet that runs here is embedded: its jobs are in its one process, and there is no store to look into. `npm start` with nats-server and redis-server installed has one.',
  );
}
