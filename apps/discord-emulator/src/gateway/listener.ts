/** The gateway's own port: opens, refuses for a while, opens again under the same number. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Clock } from '@starling/clock';
import { type WebSocket, WebSocketServer } from 'ws';

/** A frame beyond this ends the connection below the protocol (1009); 4002 is for the smaller ones. */
const maxFrameBytes = 1024 * 1024;
/** After refusing, the port is tried again this often and so long: another process may have it. */
const reopenEveryMs = 100;
const reopenTries = 600;

export interface Accepted {
  readonly socket: WebSocket;
  readonly tcp: Socket;
  /** Path and query as the client asked for them. */
  readonly url: URL;
}

export interface GatewayListener extends AsyncDisposable {
  readonly port: number;
  /** Closes the port for so long. Connections that stand are not touched. */
  refuse(forMs: number): void;
}

/** @throws when the port cannot be opened */
export async function openListener(parts: {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly clock: Clock;
  readonly accept: (accepted: Accepted) => void;
  /** The port was lost while it refused. */
  readonly onLost: (error: Error) => void;
}): Promise<GatewayListener> {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: maxFrameBytes,
    perMessageDeflate: false,
  });
  let refusedUntilMs = 0;
  let reopening: Disposable | undefined;
  let disposed = false;
  let server: Server | undefined = makeServer();
  const port = await listen(server, parts.port);

  function makeServer(): Server {
    const made = createServer((_request, response) => {
      response.writeHead(426, { 'content-type': 'text/plain' }).end('Upgrade Required\n');
    });
    made.on('upgrade', (request, tcp: Socket, head) => {
      // The client may reset while it is being upgraded.
      tcp.on('error', () => tcp.destroy());
      const url = new URL(request.url ?? '/', 'ws://gateway');
      sockets.handleUpgrade(request, tcp, head, (socket) => parts.accept({ socket, tcp, url }));
    });
    made.on('clientError', (_error, tcp) => tcp.destroy());
    return made;
  }

  function listen(made: Server, wanted: number): Promise<number> {
    return new Promise((resolve, reject) => {
      made.once('error', reject);
      made.listen(wanted, parts.host, () => {
        made.off('error', reject);
        resolve((made.address() as AddressInfo).port);
      });
    });
  }

  function reopen(triesLeft: number): void {
    if (disposed) return;
    const leftMs = refusedUntilMs - parts.clock.monotonicMs();
    if (leftMs > 0) {
      reopening = parts.clock.schedule(leftMs, () => reopen(triesLeft));
      return;
    }
    const made = makeServer();
    listen(made, port).then(
      () => {
        reopening = undefined;
        if (disposed) made.close();
        else server = made;
      },
      (error: Error) => {
        if (triesLeft === 0) parts.onLost(error);
        else reopening = parts.clock.schedule(reopenEveryMs, () => reopen(triesLeft - 1));
      },
    );
  }

  return {
    port,
    refuse(forMs) {
      refusedUntilMs = Math.max(refusedUntilMs, parts.clock.monotonicMs() + forMs);
      if (reopening) return;
      server?.close();
      server?.closeAllConnections();
      server = undefined;
      reopening = parts.clock.schedule(forMs, () => reopen(reopenTries));
    },
    async [Symbol.asyncDispose]() {
      disposed = true;
      reopening?.[Symbol.dispose]();
      sockets.close();
      const open = server;
      if (!open) return;
      open.closeAllConnections();
      await new Promise<void>((resolve) => open.close(() => resolve()));
    },
  };
}
