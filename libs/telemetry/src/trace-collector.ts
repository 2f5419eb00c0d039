import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { attributeNames } from './names.ts';

/** A span as it left a process. */
export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  /** `service.name` of the process. */
  readonly service: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** A small OTLP collector: where a fleet's spans go when its whole trace is to be judged. */
export interface TraceCollector extends AsyncDisposable {
  /** Value for `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly endpoint: string;
  readonly spans: readonly CollectedSpan[];
  /** The roles that had a part in a trace, by its id or its correlation id. */
  rolesOf(trace: string): readonly string[];
}

/** Spans kept; a collector is for a demo or a test, and later spans are not kept. */
const maxSpans = 100_000;
/** Largest export that is read. */
const maxBodyBytes = 16 * 1024 * 1024;

const attributes = z
  .array(z.object({ key: z.string(), value: z.record(z.string(), z.unknown()) }))
  .default([])
  .transform((list) =>
    Object.fromEntries(list.map(({ key, value }) => [key, Object.values(value)[0]])),
  );

/** OTLP/HTTP with JSON (opentelemetry.io/docs/specs/otlp/#otlphttp), as far as it is needed here. */
const exportRequest = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes }),
      scopeSpans: z.array(
        z.object({
          spans: z.array(
            z.object({
              traceId: z.string(),
              spanId: z.string(),
              parentSpanId: z.string().optional(),
              name: z.string(),
              attributes,
            }),
          ),
        }),
      ),
    }),
  ),
});

/** Starts a collector on a free loopback port. */
export async function startTraceCollector(): Promise<TraceCollector> {
  const spans: CollectedSpan[] = [];
  const server = createServer((request, response) => {
    collect(request, spans).then(
      () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'),
      () => response.writeHead(400).end(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    spans,
    rolesOf(trace) {
      const roles = spans
        .filter(({ traceId }) => traceId.startsWith(trace))
        .map((span) => span.attributes[attributeNames.role]);
      return [...new Set(roles.filter((role) => typeof role === 'string'))].sort();
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function collect(request: IncomingMessage, into: CollectedSpan[]): Promise<void> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > maxBodyBytes) throw new RangeError('export too large');
    chunks.push(chunk);
  }
  if (!request.url?.endsWith('/v1/traces')) return;
  const { resourceSpans } = exportRequest.parse(JSON.parse(Buffer.concat(chunks).toString()));
  for (const { resource, scopeSpans } of resourceSpans) {
    const service = resource.attributes['service.name'];
    for (const span of scopeSpans.flatMap((scope) => scope.spans)) {
      if (into.length >= maxSpans) return;
      into.push({
        ...span,
        parentSpanId: span.parentSpanId,
        service: typeof service === 'string' ? service : undefined,
      });
    }
  }
}
