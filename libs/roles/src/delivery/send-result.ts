/**
 * Brings the result of an ephemeral job to the ingress that holds its caller. An ingress that stays
 * away has lost its callers with it, so the result is given up after a while and counted.
 */
import type { Messaging } from '@starling/bus';
import type { Clock, Random } from '@starling/clock';
import {
  decode,
  encode,
  ownerOfOrigin,
  type Result,
  resultContract,
  resultReplyContract,
  subjects,
} from '@starling/contracts';
import { type Backoff, fullJitterMs } from '@starling/lifecycle';
import { type Context, counter, injectHeaders, type RoleTelemetry } from '@starling/telemetry';
import { withSendable } from './sendable-result.ts';

/** The settings of `deliverySection`. */
export interface DeliveryConfig {
  readonly resultTimeoutMs: number;
  readonly resultRetryForMs: number;
}

export interface SendResultParts {
  readonly messaging: Messaging;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: RoleTelemetry;
  readonly config: DeliveryConfig;
}

const backoff: Backoff = { baseMs: 100, capMs: 1_000 };
const resultsLeft = counter('starling.results.left');

/** Sends until it is taken, or given up; never rejects. */
export async function sendResult(
  parts: SendResultParts,
  { result, context }: { readonly result: Result; readonly context: Context },
): Promise<void> {
  const { clock, config, random, telemetry } = parts;
  const { jobId } = result;
  const log = telemetry.log('delivery');
  const giveUpAtMs = clock.monotonicMs() + config.resultRetryForMs;
  for (let failures = 1; ; failures += 1) {
    try {
      await withSendable(result, (sendable) => offer(parts, sendable, context));
      return;
    } catch (error) {
      telemetry.run(() => log.debug('result.not_taken', { jobId, error }), context);
    }
    const waitMs = fullJitterMs(backoff, failures, random);
    if (clock.monotonicMs() + waitMs >= giveUpAtMs) {
      resultsLeft.add(1);
      telemetry.run(() => log.warn('result.left', { jobId, failures }), context);
      return;
    }
    await clock.sleep(waitMs);
  }
}

async function offer(parts: SendResultParts, result: Result, context: Context): Promise<void> {
  const reply = await parts.messaging.request(
    subjects.result(ownerOfOrigin(result.origin)),
    encode(resultContract, result),
    { timeoutMs: parts.config.resultTimeoutMs, headers: injectHeaders({}, context) },
  );
  const decoded = decode(resultReplyContract, reply.payload);
  if (!decoded.ok) throw new TypeError(`a reply that does not decode: ${decoded.fault.kind}`);
}
