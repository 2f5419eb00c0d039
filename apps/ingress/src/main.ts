/** The ingress process: configuration, keys, telemetry, bus, and the role on top of them. */
import { connectNats } from '@starling/bus';
import { systemClock as clock, systemRandom as random } from '@starling/clock';
import {
  ingressSection,
  instanceSection,
  natsSection,
  parseConfig,
  telemetrySection,
} from '@starling/config';
import { ingressId } from '@starling/contracts';
import { runProcess } from '@starling/lifecycle';
import { readApiKeys, startIngress } from '@starling/roles/ingress';
import { log, startTelemetry } from '@starling/telemetry';
import { openCallerBuckets } from './caller-buckets.ts';

const environment = process.env;

await runProcess({
  name: 'ingress',
  clock,
  environment,
  drainDeadlineMs: ingressSection.drainDeadlineMs.default,
  log: log('process', 'ingress'),
  async build(stack) {
    // Everything is read before anything is started: a wrong setting leaves nothing behind.
    const instance = parseConfig(instanceSection, environment);
    const nats = parseConfig(natsSection, environment);
    const config = parseConfig(ingressSection, environment);
    const telemetry = parseConfig(telemetrySection, environment);
    const keys = await readApiKeys(config);
    const id = ingressId.parse(instance.id ?? `ingress-${random.integer(2 ** 32).toString(36)}`);

    // Disposed in reverse: the role, then the bus, the limits, the log last.
    stack.use(
      await startTelemetry({ service: 'ingress', instanceId: id, config: telemetry, clock }),
    );
    const { connectTimeoutMs } = nats;
    const at = { environment, clock, ingressId: id, connectTimeoutMs };
    const isCounted = config.requestsPerMinutePerKey > 0;
    const buckets = isCounted ? await openCallerBuckets(stack, at) : undefined;
    const bus = stack.use(await connectNats({ ...nats, name: id, clock }));
    const role = await startIngress({ bus, clock, random, ingressId: id, config, keys, buckets });
    const { host, port } = role;
    return {
      parts: [role],
      drainDeadlineMs: config.drainDeadlineMs,
      ready: { ingressId: id, host, port, apiKeys: keys.length },
    };
  },
});
