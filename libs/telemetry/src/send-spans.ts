import { ExportResultCode } from '@opentelemetry/core';
import {
  convertLegacyHttpOptions,
  createOtlpHttpExportDelegate,
} from '@opentelemetry/otlp-exporter-base/node-http';
import type { SendSpans } from './span-writer.ts';

/** One export; the collector is on the same network, and drain waits for the last one. */
const exportTimeoutMs = 3_000;

/**
 * OTLP over HTTP as the SDK's own exporter does it, with its tries and what the environment says of
 * headers, certificates and compression; only what is sent has been written before.
 */
export function sendSpansTo(otlpEndpoint: string): SendSpans {
  const delegate = createOtlpHttpExportDelegate<Uint8Array, object>(
    convertLegacyHttpOptions(
      { url: `${otlpEndpoint}/v1/traces`, timeoutMillis: exportTimeoutMs },
      'TRACES',
      'v1/traces',
      { 'Content-Type': 'application/json' },
    ),
    {
      serializeRequest: (request) => request,
      deserializeResponse: (data) =>
        data.length === 0 ? {} : JSON.parse(Buffer.from(data).toString()),
    },
    'otlp_http_span_exporter',
    { name: 'span', countItems: () => 1 },
    undefined,
  );
  return (request) =>
    new Promise((resolve) => {
      delegate.export(request, ({ code, error }) =>
        resolve(code === ExportResultCode.SUCCESS ? undefined : (error ?? new Error('not sent'))),
      );
    });
}
