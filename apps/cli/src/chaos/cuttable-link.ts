/**
 * A TCP proxy on loopback between one process and a server, that can be cut. Cut, it is a network
 * that lost its route: connections stand, nothing passes and nobody is told. Healed, what waited
 * passes late, as TCP sends it again, or the connections are reset, as by a router that forgot them.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface CuttableLink extends AsyncDisposable {
  readonly port: number;
  /** Connections that stand now. */
  readonly connections: number;
  cut(): void;
  heal(options: { readonly reset: boolean }): void;
}

/** One process has one connection to NATS, and another one while it reconnects. */
const maxConnections = 16;

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
}

/** Opens the proxy to a port of this machine; each connection to it makes one to there. */
export async function openLink(targetPort: number): Promise<CuttableLink> {
  const pairs = new Set<Pair>();
  let isCut = false;

  const drop = (pair: Pair) => {
    pairs.delete(pair);
    pair.near.resetAndDestroy();
    pair.far.resetAndDestroy();
  };
  const join = ({ near, far }: Pair) => {
    near.pipe(far);
    far.pipe(near);
  };
  const part = ({ near, far }: Pair) => {
    near.unpipe(far).pause();
    far.unpipe(near).pause();
  };
  const server = createServer((near) => {
    const pair = { near, far: connect({ port: targetPort, host: '127.0.0.1' }) };
    pairs.add(pair);
    for (const socket of [pair.near, pair.far]) {
      socket.setNoDelay(true);
      // Its `close` follows.
      socket.on('error', () => {});
      socket.on('close', () => {
        if (!isCut) drop(pair);
      });
    }
    if (!isCut) join(pair);
  });
  server.maxConnections = maxConnections;
  const port = await listen(server);

  return {
    port,
    get connections() {
      return pairs.size;
    },
    cut() {
      isCut = true;
      for (const pair of pairs) part(pair);
    },
    heal({ reset }) {
      isCut = false;
      for (const pair of [...pairs]) {
        if (reset || pair.near.destroyed || pair.far.destroyed) drop(pair);
        else join(pair);
      }
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const pair of [...pairs]) drop(pair);
      await closed;
    },
  };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return address.port;
}
