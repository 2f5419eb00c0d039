/** What an adapter logs and counts because there is no caller to tell it to. */
import { counter, log } from '@starling/telemetry';

const logger = log('bus');
const handlerFailures = counter('starling.bus.handler_failures');
const droppedMessages = counter('starling.bus.dropped');
const feedReads = counter('starling.bus.feed_reads');
const disconnects = counter('starling.bus.disconnects');

/** A handler threw; its subscription lives on. */
export function reportHandlerFailure(subject: string, error: unknown): void {
  handlerFailures.add(1, { subject });
  logger.error('handler.failed', { subject, error });
}

/**
 * Messages that no handler will see. Each is counted; of a flood only every doubling is logged.
 * @param total how many of this subscription there were so far, these among them
 */
export function reportDropped(
  subject: string,
  dropped: {
    readonly count: number;
    readonly total: number;
    readonly why: 'full' | 'drain' | 'disconnected';
  },
): void {
  const { count, total, why } = dropped;
  droppedMessages.add(count, { subject, why });
  const doubled = Math.floor(Math.log2(total)) > Math.log2(Math.max(1, total - count));
  if (total === count || doubled) logger.warn('messages.dropped', { subject, why, total });
}

/** The connection was lost; the client goes on trying. */
export function reportDisconnected(address: string): void {
  disconnects.add(1);
  logger.warn('connection.lost', { address });
}

/** The connection is back after `lostForMs`. */
export function reportReconnected(address: string, lostForMs: number): void {
  logger.ok('connection.restored', { address, lostForMs: Math.round(lostForMs) });
}

/** The server refused something that nobody waits for, for example a subscription without permission. */
export function reportServerError(error: unknown): void {
  logger.error('server.error', { error });
}

/** A feed or watch missed something and reads its stream anew; nothing is lost by it. */
export function reportFeedRead(
  stream: string,
  why: 'gap' | 'silence' | 'refused' | 'difference',
  error: unknown,
): void {
  feedReads.add(1, { stream, why });
  logger.warn('feed.read-anew', { stream, why, ...(error !== undefined && { error }) });
}
