/** A real HTTP server on a free port that streams on command and notes what its sockets go through. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { ProviderConnection, ProviderRequest } from '../src/index.ts';

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

/** What a response was. */
export interface ReadResponse {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  readonly text: string;
}

/** Sends a request and reads its whole response. @param onData called after each piece; false leaves */
export async function readAll(
  connection: ProviderConnection,
  request: Partial<ProviderRequest> = {},
  onData: () => boolean = () => true,
): Promise<ReadResponse> {
  let [status, header]: [number, ReadResponse['header']] = [0, () => undefined];
  const chunks: Uint8Array[] = [];
  await connection.exchange(
    { method: 'GET', path: '/', headers: {}, signal: new AbortController().signal, ...request },
    {
      head(given, headers) {
        [status, header] = [given, headers];
      },
      data(chunk) {
        chunks.push(Uint8Array.from(chunk));
        return onData();
      },
    },
  );
  return { status, header, text: Buffer.concat(chunks).toString() };
}
