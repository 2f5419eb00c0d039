import { startHaproxyServer } from '@starling/harness';
import type { Provider } from './provider.ts';
import type { Target } from './target.ts';

/**
 * HAProxy with `balance leastconn` before the provider: what an exact central least-connections
 * balancer costs that knows nothing of jobs, fairness or tokens.
 * @param options.slots per backend; what finds none waits in HAProxy's one queue
 * @throws {HarnessError} `not_found` when it is neither installed nor can be fetched
 */
export async function startHaproxy(
  provider: Provider,
  options: { readonly backends: number; readonly slots?: number },
): Promise<Target> {
  const { hostname: host, port } = new URL(provider.origin);
  const server = await startHaproxyServer({
    backends: Array.from({ length: options.backends }, () => ({
      host,
      port: Number(port),
      ...(options.slots !== undefined && { maxConnections: options.slots }),
    })),
  });
  return {
    name: 'haproxy',
    url: `${server.url}/v1/chat/completions`,
    headers: {},
    bearers: ['haproxy'],
    processes: () => [{ name: 'haproxy', pid: server.pid }],
    [Symbol.asyncDispose]: () => server.stop(),
  };
}
