/** The worker process: configuration, telemetry, bus, provider, and the role on top of them. */
import { connectNats } from '@starling/bus';
import { systemClock as clock, systemRandom as random } from '@starling/clock';
import {
  deliverySection,
  instanceSection,
  natsSection,
  parseConfig,
  providerSection,
  sharingSection,
  telemetrySection,
  workerSection,
} from '@starling/config';
import { workerId } from '@starling/contracts';
import { runProcess } from '@starling/lifecycle';
import { isLimited, providerFrom } from '@starling/llm';
import { startWorker } from '@starling/roles/worker';
import { log, startTelemetry } from '@starling/telemetry';
import { openProviderBuckets } from './provider-buckets.ts';

const environment = process.env;

await runProcess({
  name: 'worker',
  clock,
  environment,
  drainDeadlineMs: workerSection.drainDeadlineMs.default,
  log: log('process', 'worker'),
  async build(stack, { signal }) {
    // Everything is read before anything is started: a wrong setting leaves nothing behind.
    const instance = parseConfig(instanceSection, environment);
    const nats = parseConfig(natsSection, environment);
    const worker = parseConfig(workerSection, environment);
    const delivery = parseConfig(deliverySection, environment);
    const sharing = parseConfig(sharingSection, environment);
    const llm = parseConfig(providerSection, environment);
    const telemetry = parseConfig(telemetrySection, environment);
    const id = workerId.parse(instance.id ?? `worker-${random.integer(2 ** 32).toString(36)}`);

    // Disposed in reverse: the role, the bus, the provider's connections, its limits, the log last.
    stack.use(
      await startTelemetry({ service: 'worker', instanceId: id, config: telemetry, clock }),
    );
    const { connectTimeoutMs } = nats;
    const at = { environment, clock, workerId: id, connectTimeoutMs, signal };
    const buckets = isLimited(llm) ? await openProviderBuckets(stack, at) : undefined;
    const provider = stack.use(providerFrom(llm, { clock, random, environment, buckets }));
    const bus = stack.use(await connectNats({ ...nats, name: id, clock, signal }));
    const config = { ...worker, ...delivery, ...sharing };
    const { board, models: modelSource } = provider;
    const io = { bus, clock, random, provider, board, modelSource };
    const role = await startWorker({ ...io, workerId: id, config });
    return {
      parts: [role],
      drainDeadlineMs: worker.drainDeadlineMs,
      ready: { workerId: id, slots: role.snapshot().slots, provider: provider.name },
    };
  },
});
