/** The balancer process: configuration, telemetry, bus, and the role on top of them. */
import { connectNats } from '@starling/bus';
import { systemClock as clock, systemRandom as random } from '@starling/clock';
import {
  admissionSection,
  balancerSection,
  deliverySection,
  instanceSection,
  natsSection,
  parseConfig,
  sharingSection,
  telemetrySection,
} from '@starling/config';
import { balancerId } from '@starling/contracts';
import { runProcess } from '@starling/lifecycle';
import { startBalancer } from '@starling/roles/balancer';
import { log, startTelemetry } from '@starling/telemetry';

const environment = process.env;

await runProcess({
  name: 'balancer',
  clock,
  environment,
  drainDeadlineMs: balancerSection.drainDeadlineMs.default,
  log: log('process', 'balancer'),
  async build(stack, { signal }) {
    // Everything is read before anything is started: a wrong setting leaves nothing behind.
    const instance = parseConfig(instanceSection, environment);
    const nats = parseConfig(natsSection, environment);
    const balancer = parseConfig(balancerSection, environment);
    const admission = parseConfig(admissionSection, environment);
    const delivery = parseConfig(deliverySection, environment);
    const sharing = parseConfig(sharingSection, environment);
    const telemetry = parseConfig(telemetrySection, environment);
    const id = balancerId.parse(instance.id ?? `balancer-${random.integer(2 ** 32).toString(36)}`);

    // Disposed in reverse: the role, then the bus, the log last.
    stack.use(
      await startTelemetry({ service: 'balancer', instanceId: id, config: telemetry, clock }),
    );
    const bus = stack.use(await connectNats({ ...nats, name: id, clock, signal }));
    const config = { ...balancer, ...admission, ...delivery, ...sharing };
    const role = await startBalancer({ bus, clock, random, balancerId: id, config });
    return {
      parts: [role],
      drainDeadlineMs: balancer.drainDeadlineMs,
      ready: { balancerId: id },
    };
  },
});
