import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

/** How connections are bounded. */
export interface ServerLimits {
  readonly maxConnections: number;
  readonly headerTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  readonly keepAliveMs: number;
}

/** One request's head, bytes: a key and a trace need little. */
const maxHeaderBytes = 16 * 1024;
const maxHeaders = 100;
/** How exactly the two timeouts are kept. */
const checkEveryMs = 1_000;
/** Silence after which the system asks whether the other end of a connection still exists. */
const probeAfterMs = 15_000;

/** Node's codes for a request that cannot be read; others are simply not HTTP. */
const clientErrors: Readonly<Record<string, readonly [line: string, message: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'The request did not arrive in time.'],
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    `The head of the request has more than ${maxHeaderBytes} bytes.`,
  ],
};

/** A bounded HTTP server that has not begun to listen. */
export function createHttpServer(limits: ServerLimits, onRequest: RequestListener): Server {
  const server = createServer(
    {
      headersTimeout: Math.min(limits.headerTimeoutMs, limits.bodyTimeoutMs),
      requestTimeout: limits.bodyTimeoutMs,
      connectionsCheckingInterval: checkEveryMs,
      keepAliveTimeout: limits.keepAliveMs,
      maxHeaderSize: maxHeaderBytes,
      keepAlive: true,
      keepAliveInitialDelay: probeAfterMs,
    },
    onRequest,
  );
  server.maxHeadersCount = maxHeaders;
  server.maxConnections = limits.maxConnections;
  server.on('clientError', answerUnreadable);
  return server;
}

/** @throws Node's error when the address cannot be had */
export async function listen(
  server: Server,
  at: { readonly host: string; readonly port: number },
): Promise<AddressInfo> {
  server.listen(at);
  await once(server, 'listening');
  return server.address() as AddressInfo;
}

/** What is no request gets an answer in the usual shape, and its connection is closed. */
function answerUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const [line, message] = clientErrors[error.code ?? ''] ?? [
    '400 Bad Request',
    'This is not a request of HTTP/1.1.',
  ];
  const body = JSON.stringify({
    error: { message, type: 'invalid_request_error', param: null, code: 'unreadable_request' },
  });
  socket.end(
    `HTTP/1.1 ${line}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
