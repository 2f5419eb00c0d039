import { createServer } from 'node:net';

/**
 * A port on 127.0.0.1 that nobody listens on now. Somebody else may take it before it is used, so
 * whoever starts a server on it tries again with another.
 */
export function freePort(): Promise<number> {
  return listenOnce(0);
}

/** Whether a port on 127.0.0.1 could be listened on now. */
export async function portIsFree(port: number): Promise<boolean> {
  try {
    await listenOnce(port);
    return true;
  } catch {
    return false;
  }
}

function listenOnce(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port: wanted }, () => {
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : wanted;
      server.close(() => resolve(port));
    });
  });
}
