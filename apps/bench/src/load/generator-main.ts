/**
 * The load generator as a process of its own, so that what it costs is not counted to anybody else.
 * `POST /run` takes a plan and answers with its result; one run at a time. Readiness tells `{ url }`.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { systemClock as clock } from '@starling/clock';
import { createDrainable, runProcess } from '@starling/lifecycle';
import { loadPlan } from './load-plan.ts';
import { runLoad } from './run-load.ts';

await runProcess({
  name: 'load-generator',
  clock,
  environment: {},
  drainDeadlineMs: 0,
  async build() {
    let busy = false;
    const server = createServer(async (request, response) => {
      if (busy) {
        response.writeHead(409).end('a run is going on');
        return;
      }
      busy = true;
      try {
        const plan = loadPlan.parse(await json(request));
        response.end(JSON.stringify(await runLoad(plan, clock)));
      } catch (error) {
        response.writeHead(400).end(error instanceof Error ? error.message : String(error));
      } finally {
        busy = false;
      }
    });
    await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve));
    const part = createDrainable({
      drain: () => {},
      release: () =>
        new Promise<void>((resolve) => {
          server.close(() => resolve());
          server.closeAllConnections();
        }),
    });
    const { port } = server.address() as AddressInfo;
    return { parts: [part], ready: { url: `http://127.0.0.1:${port}` } };
  },
});
