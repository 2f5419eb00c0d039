/**
 * Brings results to the clusters that own their questions. A job is acknowledged only when its
 * cluster said that the user has the answer; until then its delivery is kept alive and the result is
 * sent again. A cluster that stays away too long sends the job back to the queue, while the result is
 * parked here: should the job come back to this process, no provider is called for it again.
 */
import type { Bus } from '@starling/bus';
import type { Clock, Random } from '@starling/clock';
import {
  decode,
  encode,
  type JobId,
  ownerOfOrigin,
  type Result,
  resultContract,
  resultReplyContract,
  subjects,
} from '@starling/contracts';
import { type Backoff, fullJitterMs } from '@starling/lifecycle';
import { type Context, counter, injectHeaders, type RoleTelemetry } from '@starling/telemetry';
import type { KeptDelivery } from './kept-delivery.ts';
import { RecentIds } from './recent-ids.ts';

/** The settings of `deliverySection`. */
export interface DeliveryConfig {
  readonly resultTimeoutMs: number;
  readonly resultRetryForMs: number;
  readonly maxUndelivered: number;
}

export interface DeliveryParts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: RoleTelemetry;
  readonly config: DeliveryConfig;
}

/** A result, and whose trace it belongs to. */
export interface Finished {
  readonly result: Result;
  readonly context: Context;
}

/** A result in this process's hands. `parked`: given up for now, its job is in the queue again. */
type Entry =
  | { readonly kind: 'sending'; readonly finished: Finished; readonly kept: KeptDelivery }
  | { readonly kind: 'parked'; readonly finished: Finished };

const backoff: Backoff = { baseMs: 200, capMs: 2_000 };
/** Delivered jobs that are remembered, in case their acknowledgement was lost. */
const maxRemembered = 1_000;
/** A cluster that restarts needs some seconds; its job comes back after these. */
const comeBackAfterMs = 5_000;

const resultsLeft = counter('starling.results.left');
const quarantined = counter('starling.bus.quarantined');

/** Delivers the results of one process. */
export class ResultDelivery {
  readonly #parts: DeliveryParts;
  readonly #entries = new Map<JobId, Entry>();
  readonly #delivered = new RecentIds<JobId>(maxRemembered);
  readonly #underway = new Set<Promise<void>>();
  readonly #leaving = new AbortController();

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
  }

  /** So many results wait for their clusters that no more work should be taken. */
  get full(): boolean {
    return this.sending >= this.#parts.config.maxUndelivered;
  }

  /** Results that are being sent. */
  get sending(): number {
    return this.#underway.size;
  }

  /** Sends a result until its cluster has it, in the background. Takes the kept delivery over. */
  deliver(finished: Finished, kept: KeptDelivery): void {
    const { jobId } = finished.result;
    this.#makeRoom();
    this.#entries.set(jobId, { kind: 'sending', finished, kept });
    const sending = this.#send(finished, kept).finally(() => this.#underway.delete(sending));
    this.#underway.add(sending);
  }

  /**
   * A job was delivered by the queue again. True when its result is here: then the new delivery is
   * taken over and nothing is to be run.
   */
  takeOver(jobId: JobId, keep: () => KeptDelivery): boolean {
    const entry = this.#entries.get(jobId);
    if (entry?.kind === 'sending') {
      const again = keep();
      entry.kept.adopt(again.receipt);
      again[Symbol.dispose]();
      return true;
    }
    if (entry?.kind === 'parked') {
      this.deliver(entry.finished, keep());
      return true;
    }
    if (!this.#delivered.has(jobId)) return false;
    void this.#acknowledge(keep());
    return true;
  }

  /** Resolves when nothing is being sent, or when the signal aborts. */
  async idle(signal: AbortSignal): Promise<void> {
    while (this.#underway.size > 0 && !signal.aborted) {
      const aborted = Promise.withResolvers<void>();
      const onAbort = () => aborted.resolve();
      signal.addEventListener('abort', onAbort, { once: true });
      await Promise.race([Promise.all(this.#underway), aborted.promise]);
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Sends no more: what is undelivered goes back to the queue at once. */
  async leave(): Promise<void> {
    this.#leaving.abort();
    await Promise.all(this.#underway);
  }

  async #send(finished: Finished, kept: KeptDelivery): Promise<void> {
    const { clock, random, config, telemetry } = this.#parts;
    const { jobId } = finished.result;
    const log = telemetry.log('delivery');
    const giveUpAtMs = clock.monotonicMs() + config.resultRetryForMs;
    for (let failures = 1; !(await this.#offer(finished)); failures += 1) {
      const waitMs = fullJitterMs(backoff, failures, random);
      const inTime = clock.monotonicMs() + waitMs < giveUpAtMs && !this.#leaving.signal.aborted;
      if (inTime && (await this.#pause(waitMs))) continue;
      const leaving = this.#leaving.signal.aborted;
      resultsLeft.add(1);
      telemetry.run(() => log.warn('result.left', { jobId, failures, leaving }), finished.context);
      this.#entries.set(jobId, { kind: 'parked', finished });
      await kept.giveBack(leaving ? 0 : comeBackAfterMs);
      return;
    }
    this.#delivered.add(jobId);
    this.#entries.delete(jobId);
    await this.#acknowledge(kept);
  }

  /** One try; true when the user, or the ingress of its caller, has it. */
  async #offer({ result, context }: Finished): Promise<boolean> {
    const { bus, config, telemetry } = this.#parts;
    try {
      const reply = await bus.messaging.request(
        subjects.result(ownerOfOrigin(result.origin)),
        encode(resultContract, result),
        {
          timeoutMs: config.resultTimeoutMs,
          headers: injectHeaders({}, context),
          signal: this.#leaving.signal,
        },
      );
      const decoded = decode(resultReplyContract, reply.payload);
      if (decoded.ok) return decoded.value.kind !== 'busy';
      quarantined.add(1, { contract: resultReplyContract.name, fault: decoded.fault.kind });
    } catch (error) {
      const { jobId } = result;
      const log = telemetry.log('delivery');
      telemetry.run(() => log.debug('result.not_taken', { jobId, error }), context);
    }
    return false;
  }

  /** The queue may be out of reach for a while; then the redelivery asks for the same again. */
  async #acknowledge(kept: KeptDelivery): Promise<void> {
    const { clock, random, config } = this.#parts;
    const giveUpAtMs = clock.monotonicMs() + config.resultRetryForMs;
    using _ = kept;
    for (let failures = 1; ; failures += 1) {
      try {
        return await kept.acknowledge();
      } catch {
        const waitMs = fullJitterMs(backoff, failures, random);
        if (clock.monotonicMs() + waitMs >= giveUpAtMs || !(await this.#pause(waitMs))) return;
      }
    }
  }

  /** False when we are leaving. */
  async #pause(ms: number): Promise<boolean> {
    try {
      await this.#parts.clock.sleep(ms, { signal: this.#leaving.signal });
      return true;
    } catch {
      return false;
    }
  }

  /** Parked results are a saving, not a promise: the oldest goes first. */
  #makeRoom(): void {
    if (this.#entries.size < this.#parts.config.maxUndelivered) return;
    for (const [jobId, entry] of this.#entries) {
      if (entry.kind !== 'parked') continue;
      this.#entries.delete(jobId);
      return;
    }
  }
}
