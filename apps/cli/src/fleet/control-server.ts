/** The running fleet's own page on loopback: what runs, and how exchanges ended. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ExchangeLog } from './exchange-log.ts';

/** The longest that one call may wait for an exchange. */
const maxWaitMs = 120_000;

export interface ControlServer extends AsyncDisposable {
  readonly url: string;
}

/**
 * Serves `GET /status` and `GET /exchanges/<jobId>?timeoutMs=`.
 * @param parts.status what `/status` answers, computed at each call
 */
export async function startControlServer(parts: {
  readonly port: number;
  readonly exchanges: ExchangeLog;
  readonly status: () => Promise<unknown>;
}): Promise<ControlServer> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const [, jobId] = /^\/exchanges\/([A-Za-z0-9_-]{1,64})$/.exec(url.pathname) ?? [];
    if (jobId) {
      const asked = Number(url.searchParams.get('timeoutMs') ?? 0);
      const timeoutMs = Math.min(Math.max(0, Number.isFinite(asked) ? asked : 0), maxWaitMs);
      void parts.exchanges
        .wait(jobId, timeoutMs)
        .then((exchange) =>
          exchange
            ? send(response, 200, exchange)
            : send(response, 404, { error: `no exchange ${jobId} ended in ${timeoutMs} ms` }),
        );
    } else if (url.pathname === '/exchanges') {
      send(response, 200, parts.exchanges.recent(20));
    } else if (url.pathname === '/status') {
      parts.status().then(
        (status) => send(response, 200, status),
        (error: unknown) => send(response, 500, { error: String(error) }),
      );
    } else {
      send(response, 404, { error: `no ${url.pathname} here; try /status or /exchanges` });
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(parts.port, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
