/**
 * Makes the calls of a plan. In the open pace each call is due at a time fixed beforehand and its
 * latency counts from there, so that a system that stalls cannot hide the calls it kept from being
 * sent (Gil Tene's "coordinated omission").
 */
import { type Clock, seededRandom } from '@starling/clock';
import { Pool } from 'undici';
import { dueTimes } from './arrivals.ts';
import { CallLedger, type MadeCall } from './call-ledger.ts';
import { type ChatCall, startCall } from './chat-call.ts';
import type { LoadPlan, LoadResult } from './load-plan.ts';

/** Makes the calls, and resolves when the last has ended or was given up. */
export async function runLoad(plan: LoadPlan, clock: Clock): Promise<LoadResult> {
  const { origin, pathname } = new URL(plan.url);
  // A connection a call: none waits for another one's answer.
  await using pool = closing(
    new Pool(origin, {
      connections: plan.maxInFlight,
      pipelining: 1,
      allowH2: false,
      headersTimeout: 0,
      bodyTimeout: 0,
    }),
  );
  const startMs = clock.monotonicMs();
  const run = new Run(plan, {
    clock,
    startMs,
    ledger: new CallLedger(plan, clock.nowMs()),
    start: (request, observer) =>
      startCall(pool.dispatcher, { origin, path: pathname, ...request }, observer),
  });
  await (plan.pace.kind === 'open'
    ? run.open(dueTimes(plan.pace.arrivals, plan.warmUpMs + plan.measureMs))
    : run.closed(plan.pace.inFlight));
  return await run.finish();
}

interface RunParts {
  readonly clock: Clock;
  readonly startMs: number;
  readonly ledger: CallLedger;
  readonly start: (
    request: Omit<Parameters<typeof startCall>[1], 'origin' | 'path'>,
    observer: Parameters<typeof startCall>[2],
  ) => ChatCall;
}

class Run {
  readonly #plan: LoadPlan;
  readonly #parts: RunParts;
  readonly #inFlight = new Set<ChatCall>();
  readonly #headers: readonly Readonly<Record<string, string>>[];
  readonly #bodyHead: string;
  readonly #abortRandom;
  #number = 0;
  #onEnd: () => void = () => {};

  constructor(plan: LoadPlan, parts: RunParts) {
    this.#plan = plan;
    this.#parts = parts;
    this.#headers = plan.bearers.map((bearer) => ({
      ...plan.headers,
      authorization: `Bearer ${bearer}`,
      'content-type': 'application/json',
    }));
    this.#bodyHead = JSON.stringify({ ...plan.body, messages: [] }).slice(0, -2);
    this.#abortRandom = seededRandom(plan.aborts?.seed ?? 0);
  }

  async open(due: Iterator<number>): Promise<void> {
    const { maxCalls, maxInFlight } = this.#plan;
    for (let next = due.next(); !next.done && this.#number < maxCalls; next = due.next()) {
      const aheadMs = next.value - this.#nowMs();
      // Rounded up: a timer drops fractions, and a call sent early would look quicker than it was.
      if (aheadMs > 0) await this.#parts.clock.sleep(Math.ceil(aheadMs));
      if (this.#inFlight.size < maxInFlight) this.#make(next.value);
      else this.#parts.ledger.notSent(next.value);
    }
  }

  async closed(inFlight: number): Promise<void> {
    const endMs = this.#plan.warmUpMs + this.#plan.measureMs;
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const goOn = () => {
      const nowMs = this.#nowMs();
      if (nowMs >= endMs || this.#number >= this.#plan.maxCalls) resolve();
      else if (this.#inFlight.size < inFlight) this.#make(nowMs);
    };
    this.#onEnd = goOn;
    using _end = this.#parts.clock.schedule(endMs, resolve);
    for (let first = 0; first < inFlight; first += 1) goOn();
    await over;
    this.#onEnd = () => {};
  }

  async finish(): Promise<LoadResult> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    using _late = this.#parts.clock.schedule(this.#plan.drainMs, resolve);
    while (this.#inFlight.size > 0) {
      const ended = new Promise<'ended'>((done) => {
        this.#onEnd = () => done('ended');
      });
      if ((await Promise.race([ended, late])) === 'ended') continue;
      // Each ends at once, by its own abort.
      for (const call of [...this.#inFlight]) call.abort();
      break;
    }
    return this.#parts.ledger.result();
  }

  #nowMs(): number {
    return this.#parts.clock.monotonicMs() - this.#parts.startMs;
  }

  #make(dueMs: number): void {
    const { promptPrefix, answerTokens, body, aborts, keyHeader } = this.#plan;
    const { clock, ledger } = this.#parts;
    const tokens = answerTokens?.[this.#number % answerTokens.length];
    const directive = tokens === undefined ? '' : ` [[tokens:${tokens}]]`;
    const name = `${promptPrefix} ${this.#number}`;
    const prompt = `${name}${directive}`;
    const shared = this.#headers[this.#number % this.#headers.length] ?? {};
    const headers = keyHeader === undefined ? shared : { ...shared, [keyHeader]: name };
    this.#number += 1;
    const call: MadeCall = { prompt, answerTokens: tokens, dueMs, sentMs: this.#nowMs() };
    const abortAfterMs =
      aborts && this.#abortRandom.next() < aborts.share
        ? aborts.afterMs.min + this.#abortRandom.next() * (aborts.afterMs.max - aborts.afterMs.min)
        : undefined;
    let abortTimer: Disposable | undefined;
    const armAbort = (from: 'sent' | 'first-token') => {
      if (abortAfterMs === undefined || aborts?.from !== from) return;
      abortTimer = clock.schedule(abortAfterMs, () => {
        call.abortedMs = this.#nowMs();
        started.abort();
      });
    };
    ledger.sent(call);
    const message = JSON.stringify({ role: 'user', content: prompt });
    const started = this.#parts.start(
      { headers, body: `${this.#bodyHead}${message}]}`, stream: body.stream },
      {
        status: (code) => ledger.status(call, code),
        firstToken: () => {
          ledger.firstToken(call, this.#nowMs());
          armAbort('first-token');
        },
        ended: (ending) => {
          abortTimer?.[Symbol.dispose]();
          // Given up at the end of the run, and not by plan: it took too long.
          const gaveUp = ending.kind === 'aborted' && call.abortedMs === undefined;
          ledger.ended(
            call,
            gaveUp ? { kind: 'failed', reason: `no end in ${this.#plan.drainMs} ms` } : ending,
            this.#nowMs(),
          );
          this.#inFlight.delete(started);
          this.#onEnd();
        },
      },
    );
    this.#inFlight.add(started);
    armAbort('sent');
  }
}

function closing(dispatcher: Pool): AsyncDisposable & { readonly dispatcher: Pool } {
  return { dispatcher, [Symbol.asyncDispose]: () => dispatcher.destroy(null) };
}
