/** A real HTTP server on a free port that streams on command and notes what its sockets go through. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface ProviderServer extends AsyncDisposable {
  readonly origin: string;
  /** Sockets that were ever opened to it. */
  readonly opened: () => number;
  /** Sockets that are open now. */
  readonly open: () => number;
}

export async function startProviderServer(listener: RequestListener): Promise<ProviderServer> {
  const sockets = new Set<Socket>();
  let opened = 0;
  const server = createServer(listener);
  server.on('connection', (socket) => {
    opened += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    opened: () => opened,
    open: () => sockets.size,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
