import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { allIntents, gatewayFixture } from './gateway-fixture.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function heapUsed(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** Counts a shard's guilds without keeping them; resolves at the last of them. */
function takeGuilds(socket: WebSocket, identify: object): Promise<void> {
  return new Promise((resolve) => {
    let guilds = 0;
    socket.on('open', () => socket.send(JSON.stringify({ op: 2, d: identify })));
    socket.on('message', (data) => {
      if (String(data).startsWith('{"t":"GUILD_CREATE"')) guilds += 1;
      if (guilds === 2500) resolve();
    });
  });
}

it('serves 10 000 guilds over four live shards and keeps none of their payloads [G5]', async () => {
  await using stack = new AsyncDisposableStack();
  const { gateway, world } = await gatewayFixture(stack, { world: { guilds: 10_000 } });
  const before = heapUsed();
  for (const shardId of [0, 1, 2, 3]) {
    const socket = stack.adopt(new WebSocket(gateway.url), (one) => one.terminate());
    const identify = { token: world.botToken, intents: allIntents, properties: {} };
    await takeGuilds(socket, { ...identify, shard: [shardId, 4] });
  }
  expect(gateway.sessions().map(({ lastSeq, live }) => [lastSeq, live])).toEqual(
    Array.from({ length: 4 }, () => [2501, true]),
  );
  // 10 000 payloads of about 4 KB would be 40 MB; their places in the replay logs are below 5.
  expect(heapUsed() - before).toBeLessThan(10 * 1024 * 1024);
});
