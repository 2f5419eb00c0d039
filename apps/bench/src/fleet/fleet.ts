/** The product as it runs in production: NATS and each role in processes of its own, tracing on. */
import { hash, randomBytes } from 'node:crypto';
import { connectNats } from '@starling/bus';
import { systemClock as clock } from '@starling/clock';
import { startNatsServer } from '@starling/harness';
import { openJobStores } from '@starling/jobs';
import type { Provider } from '../baselines/provider.ts';
import type { Target } from '../baselines/target.ts';
import type { BenchContext } from '../benchmark.ts';
import { FleetPart } from './fleet-part.ts';
import { startTraceSink } from './trace-sink.ts';

/** How large a fleet is. */
export interface FleetSize {
  readonly balancers: number;
  readonly workers: number;
  /** Of each worker. */
  readonly slots: number;
}

/** A running fleet. Disposing ends every process of it. */
export interface Fleet extends AsyncDisposable {
  readonly target: Target;
  /** The same processes, asked for durable jobs: each call has a key of its own. */
  readonly durable: Target;
  readonly parts: readonly FleetPart[];
  /** Bytes of traces and metrics that its processes sent so far. */
  readonly exportedBytes: () => number;
  /** Jobs that lie in `JOBS` now. */
  storedJobs(): Promise<number>;
  /** The label under which the provider's record has a worker's requests. */
  keyLabelOf(worker: FleetPart): string;
}

/**
 * Callers, each with an API key of its own: the fleet bounds what one caller may have in its queue, so
 * that a load from one would be refused where the same load from many waits.
 */
const callers = 32;

/** With calls that are meant to last, a provider that is silent for long is no reason to try again. */
const patience = {
  STARLING_PROVIDER_FIRST_TOKEN_TIMEOUT_MS: '60000',
  STARLING_PROVIDER_IDLE_TIMEOUT_MS: '60000',
  STARLING_PROVIDER_TOTAL_TIMEOUT_MS: '60000',
};

/** Requests that the ingress may have in hand: above what any benchmark here keeps in flight. */
const maxInFlight = '4096';

/**
 * @param watch `cpuProfDir`: each part writes a V8 CPU profile there when it ends in order
 * @throws {HarnessError} when a server or a part does not start; what was started is ended
 */
export async function startFleet(
  provider: Provider,
  size: FleetSize,
  watch: Pick<BenchContext, 'cpuProfDir'> = {},
): Promise<Fleet> {
  await using stack = new AsyncDisposableStack();
  const sink = stack.use(await startTraceSink());
  const nats = stack.use(await startNatsServer());
  const common = {
    NATS_URL: nats.url,
    STARLING_LOG_LEVEL: 'warn',
    STARLING_LOG_FORMAT: 'json',
    OTEL_EXPORTER_OTLP_ENDPOINT: sink.endpoint,
  };
  const keys = Array.from({ length: callers }, () => randomBytes(16).toString('hex'));
  const providerKeys = new Map<FleetPart, string>();
  const parts: FleetPart[] = [];
  const add = async (
    role: FleetPart['role'],
    number: number,
    env: Readonly<Record<string, string>>,
  ) => {
    const name = `${role}-${number}`;
    const nodeArgs = profiling(name, watch.cpuProfDir);
    const part = stack.use(await FleetPart.start({ name, role }, { ...common, ...env }, nodeArgs));
    parts.push(part);
    return part;
  };
  const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

  await Promise.all(numbers(size.balancers).map((number) => add('balancer', number, {})));
  await Promise.all(
    numbers(size.workers).map(async (number) => {
      const key = `worker-${number}-${randomBytes(8).toString('hex')}`;
      const part = await add('worker', number, {
        OPENAI_BASE_URL: `${provider.origin}/v1`,
        OPENAI_API_KEY: key,
        STARLING_WORKER_SLOTS: String(size.slots),
        STARLING_PROVIDER_POOL_MAX: String(size.slots),
        STARLING_PROVIDER_POOL_MIN: '0',
        ...patience,
      });
      providerKeys.set(part, key);
    }),
  );
  const ingress = await add('ingress', 1, {
    STARLING_INGRESS_PORT: '0',
    STARLING_INGRESS_IN_FLIGHT: maxInFlight,
    STARLING_API_KEYS: keys.map((key, index) => `caller-${index}:${hash('sha256', key)}`).join(','),
  });
  const { port } = ingress.readiness;
  if (typeof port !== 'number') throw new Error('the ingress told no port');

  const bus = stack.use(
    await connectNats({ url: nats.url, name: 'bench', connectTimeoutMs: 10_000, clock }),
  );
  const { store } = await openJobStores({ bus, clock });
  const target: Target = {
    name: 'fleet',
    url: `http://127.0.0.1:${port}/v1/chat/completions`,
    headers: {},
    bearers: keys,
    processes: () => [
      { name: 'nats', pid: nats.pid },
      ...parts.map(({ role, pid }) => ({ name: role, pid })),
    ],
    [Symbol.asyncDispose]: async () => {},
  };
  const owned = stack.move();
  return {
    parts,
    target,
    durable: {
      ...target,
      name: 'fleet-durable',
      headers: { 'x-starling-durable': 'true' },
      keyHeader: 'idempotency-key',
    },
    storedJobs: () => store.size(),
    exportedBytes: sink.bytes,
    keyLabelOf: (worker) => providerLabel(providerKeys.get(worker)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Options of Node with which a process leaves a profile under its name. */
function profiling(name: string, folder: string | undefined): readonly string[] {
  if (folder === undefined) return [];
  // Node puts the number of the process in: one that replaces another has a profile of its own.
  const file = `${name}.\${pid}.cpuprofile`;
  return ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${file}`];
}

/** As the provider emulator labels keys, which it never shows. */
function providerLabel(key: string | undefined): string {
  if (key === undefined) throw new Error('this part is no worker');
  return `key-${hash('sha256', key).slice(0, 12)}`;
}
