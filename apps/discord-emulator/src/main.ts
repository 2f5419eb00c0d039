/** The emulated Discord as a process. Readiness tells `{ restUrl, gatewayUrl, botToken, applicationId }`. */
import { systemClock, systemRandom } from '@starling/clock';
import { discordEmulatorSection, parseConfig, telemetrySection } from '@starling/config';
import { runProcess } from '@starling/lifecycle';
import { log, registerSecret, startTelemetry } from '@starling/telemetry';
import { startDiscordEmulator } from './emulator.ts';

const environment = process.env;
const clock = systemClock;

await runProcess({
  name: 'discord-emulator',
  clock,
  environment,
  drainDeadlineMs: 5_000,
  log: log('process'),
  async build(stack) {
    const config = parseConfig(discordEmulatorSection, environment);
    stack.use(
      await startTelemetry({
        service: 'discord-emulator',
        instanceId: `discord-emulator-${process.pid}`,
        config: parseConfig(telemetrySection, environment),
        clock,
      }),
    );
    const emulator = stack.use(
      await startDiscordEmulator({
        clock,
        random: systemRandom,
        host: config.host,
        ports: { rest: config.restPort, gateway: config.gatewayPort },
        ...(config.botToken !== undefined && { botToken: config.botToken }),
        world: {
          guilds: config.guilds,
          people: config.people,
          seed: config.seed,
          recommendedShards: config.recommendedShards,
        },
        knobs: { globalPerSecond: config.globalPerSecond },
        onGatewayLost: (error) => log('gateway').error('gateway.port_lost', { error }),
      }),
    );
    registerSecret(emulator.botToken);
    const { restUrl, gatewayUrl, botToken, applicationId } = emulator;
    return { parts: [emulator], ready: { restUrl, gatewayUrl, botToken, applicationId } };
  },
});
