import { createServer } from 'node:net';
import { localSection } from '@starling/config';
import type { FleetPorts } from './plan.ts';

/** A port of the plan is taken: says which, for what, and how to get on. */
export class PortTakenError extends Error {
  override readonly name = 'PortTakenError';
}

/**
 * Looks before anything is started, so that a taken port is one clear line.
 * @throws {PortTakenError} naming the port, what it is for and the setting that moves it
 */
export async function requireFreePorts(ports: FleetPorts): Promise<void> {
  for (const [purpose, port] of Object.entries(ports)) {
    if (port === 0 || (await isFree(port))) continue;
    throw new PortTakenError(
      `port ${port} on 127.0.0.1 (for ${purpose}) is taken by another program. Set ${localSection.portBase.variable} to the first of seven free ports, or end that program: ss -ltnp 'sport = :${port}' names it.`,
    );
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => {
      if ('code' in error && error.code === 'EADDRINUSE') resolve(false);
      else reject(error);
    });
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () =>
      server.close(() => resolve(true)),
    );
  });
}
