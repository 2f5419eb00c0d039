/** The emulated providers as a process. Readiness tells `{ url }`. */
import { seededRandom, systemClock, systemRandom } from '@starling/clock';
import { llmEmulatorSection, parseConfig, telemetrySection } from '@starling/config';
import { runProcess } from '@starling/lifecycle';
import { log, startTelemetry } from '@starling/telemetry';
import { startLlmEmulator } from './llm-emulator.ts';

const environment = process.env;
const clock = systemClock;

await runProcess({
  name: 'llm-emulator',
  clock,
  environment,
  drainDeadlineMs: 5_000,
  log: log('process'),
  async build(stack) {
    const config = parseConfig(llmEmulatorSection, environment);
    const acceptedKeys = config.acceptedKeys?.split(',').filter((key) => key !== '') ?? null;
    stack.use(
      await startTelemetry({
        service: 'llm-emulator',
        instanceId: `llm-emulator-${process.pid}`,
        config: parseConfig(telemetrySection, environment),
        clock,
        secrets: acceptedKeys ?? [],
      }),
    );
    const emulator = stack.use(
      await startLlmEmulator({
        clock,
        random: config.seed === 0 ? systemRandom : seededRandom(config.seed),
        port: config.port,
        knobs: {
          host: config.host,
          profile: { acceptedKeys, timeScale: config.timeScalePercent / 100 },
          recordRequestsMax: config.recordRequestsMax,
        },
      }),
    );
    return { parts: [emulator], ready: { url: emulator.url } };
  },
});
