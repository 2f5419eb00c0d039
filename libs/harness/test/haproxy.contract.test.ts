import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { startHaproxyServer } from '../src/index.ts';

describe('startHaproxyServer', () => {
  it('gives each backend no more than its bound, and the rest when there is room', async () => {
    let open = 0;
    let most = 0;
    const backend = createServer((_request, response) => {
      open += 1;
      most = Math.max(most, open);
      // Answers once the others had their chance to arrive: after a round trip of its own.
      setImmediate(() => setImmediate(() => response.end('there', () => (open -= 1))));
    });
    await new Promise<void>((resolve) => backend.listen({ host: '127.0.0.1', port: 0 }, resolve));
    const { port } = backend.address() as AddressInfo;
    await using proxy = await startHaproxyServer({
      backends: [1, 2].map(() => ({ host: '127.0.0.1', port, maxConnections: 2 })),
    });
    const answers = await Promise.all(
      Array.from({ length: 40 }, async () => (await fetch(proxy.url)).text()),
    );
    expect(answers).toEqual(Array(40).fill('there'));
    expect(most).toBeLessThanOrEqual(4);
    backend.closeAllConnections();
    await new Promise((resolve) => backend.close(resolve));
  });
});
