import { spawnApp } from '@starling/harness';
import { expect, it } from 'vitest';

const entry = new URL('../src/main.ts', import.meta.url);

it('runs as a process: tells its addresses, serves, keeps its bot token out of the log, and ends', async () => {
  const botToken = 'a-token-for-this-test-only';
  await using app = await spawnApp({
    entry,
    env: {
      STARLING_DISCORD_EMULATOR_GUILDS: '3',
      STARLING_DISCORD_EMULATOR_GLOBAL_PER_SECOND: '500',
      STARLING_DISCORD_EMULATOR_BOT_TOKEN: botToken,
    },
  });
  const { readiness } = app;
  expect(readiness).toMatchObject({
    restUrl: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    gatewayUrl: expect.stringMatching(/^ws:\/\/127\.0\.0\.1:\d+$/),
    applicationId: expect.stringMatching(/^\d{17,20}$/),
    botToken,
  });
  const world = await (await fetch(`${readiness.restUrl}/control/world`)).json();
  expect(world).toMatchObject({ spec: { guilds: 3 }, applicationId: readiness.applicationId });
  const bot = await fetch(`${readiness.restUrl}/api/v10/gateway/bot`, {
    headers: { authorization: `Bot ${botToken}` },
  });
  expect(await bot.json()).toMatchObject({ url: readiness.gatewayUrl, shards: 4 });
  expect(await app.stop()).toMatchObject({ code: 0 });
  expect(app.output()).not.toContain(botToken);
});

it('names a wrong setting, its value and the remedy, and does not start', async () => {
  const start = spawnApp({ entry, env: { STARLING_DISCORD_EMULATOR_GUILDS: 'many' } });
  await expect(start).rejects.toThrow(
    /STARLING_DISCORD_EMULATOR_GUILDS=many: set it to a whole number/,
  );
});
