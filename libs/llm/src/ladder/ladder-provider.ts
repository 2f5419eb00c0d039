/**
 * A provider over the rungs of a ladder (features C4 to C6). A call goes down the ladder until a rung has
 * shown its first text; a rung that is known to be bad is passed over, so that a message does not pay for
 * it. When the ladder is at its end the call may begin anew, twice and out of the process's budget. Once
 * text was shown there is no silent second try.
 */
import type { Clock, Random } from '@starling/clock';
import type { Usage } from '@starling/contracts';
import { type Backoff, fullJitterMs } from '@starling/lifecycle';
import type { PoolStats } from '@starling/pool';
import { chooseSize } from '../choice/choose-size.ts';
import type {
  CallOptions,
  CompletionRequest,
  MadeChoice,
  Provider,
  RungCall,
  StreamPart,
} from '../provider.ts';
import type { ProviderFault } from '../provider-fault.ts';
import { blameOf } from './blame.ts';
import type { BreakerBoard } from './breaker-board.ts';
import { costOf } from './cost-of.ts';
import { HedgeBudget } from './hedge-budget.ts';
import { type Dial, LadderCall } from './ladder-call.ts';
import type { ModelChoice } from './ladder-config.ts';
import { type Parts, race, type Start } from './race.ts';
import type { RetryBudget } from './retry-budget.ts';
import type { Ladder, Price, Rung } from './rung.ts';

/** Short beside the first token's 8 s, so that a hiccup is hidden from the reader. */
const backoff: Backoff = { baseMs: 250, capMs: 4_000 };

/** The ladders as they were when a call began. Dispose it when the call is over. */
export interface LadderLease extends Disposable {
  /** Absent: the default model answers whatever names none. */
  readonly choice?: ModelChoice | undefined;
  /** The rungs of a model, the default one's unless named; undefined for a model that there is none of. */
  ladderOf(model: string | undefined): Ladder | undefined;
}

/** The ladders of one configuration, and the connections below them. */
export interface Ladders
  extends Pick<Provider, 'name' | 'defaultModel' | 'maxConcurrent' | 'stats'> {
  /** Takes part in a call: connections stay open until it is disposed. */
  lease(): LadderLease;
}

export interface LadderProviderParts {
  /** Which rungs there are now. */
  readonly ladders: () => Ladders;
  readonly board: BreakerBoard;
  readonly budget: RetryBudget;
  readonly clock: Clock;
  readonly random: Random;
  readonly maxRetries: number;
  /** What a call came to; once for each that was answered, however many read it. */
  readonly onUsage?: (used: UsedTokens) => void;
}

/** What an answered call used. */
export interface UsedTokens {
  readonly rung: Rung;
  readonly usage: Usage;
  /** US dollars; undefined without a price. */
  readonly costUsd?: number | undefined;
  /** What the large model would have cost more; undefined unless a rule chose the small one. */
  readonly savedUsd?: number | undefined;
}

const cancelled: ProviderFault = { code: 'cancelled', retryable: false, detail: 'cancelled' };
const notFound: ProviderFault = {
  ...{ code: 'model_not_found', retryable: false, detail: 'model_not_configured' },
};
const resting: ProviderFault = {
  ...{ code: 'provider_limited', retryable: true, detail: 'every_key_rests' },
};

/** See the module's header. */
export class LadderProvider implements Omit<Provider, typeof Symbol.asyncDispose> {
  readonly #parts: LadderProviderParts;
  readonly #hedges = new HedgeBudget();

  constructor(parts: LadderProviderParts) {
    this.#parts = parts;
  }

  get name(): string {
    return this.#parts.ladders().name;
  }

  get defaultModel(): string {
    return this.#parts.ladders().defaultModel;
  }

  get maxConcurrent(): number {
    return this.#parts.ladders().maxConcurrent;
  }

  stats(): PoolStats {
    return this.#parts.ladders().stats();
  }

  async *stream(request: CompletionRequest, call: CallOptions): AsyncGenerator<StreamPart> {
    const { board, budget, clock, random } = this.#parts;
    using lease = this.#parts.ladders().lease();
    const chosen = chosenOf(lease, request);
    if (chosen) call.onChoice?.(chosen);
    const ladder = lease.ladderOf(request.model ?? chosen?.model);
    if (!ladder) {
      yield { kind: 'error', fault: notFound };
      return;
    }
    budget.earn();
    this.#hedges.earn();
    const steps = loweredBy((call.attempt ?? 1) - 1, ladder);
    const course = new LadderCall(steps, { health: board.health, random });
    let fault: ProviderFault | undefined;
    for (let retry = 1; ; ) {
      const step = course.next(clock.monotonicMs());
      if (step.kind === 'dial') {
        // Nothing is waited for otherwise, so that whoever comes next sees this call's load.
        if (step.permit.kind === 'probe' && !(await board.mayProbe(step.rung))) {
          course.pass(step.rung);
          continue;
        }
        fault = yield* this.#answer(step, {
          course,
          request,
          call,
          instead: insteadOf(lease, chosen),
        });
        if (!fault) return;
        if (isFinal(fault)) break;
        course.failed(step.rung, fault);
        continue;
      }
      // Who has only waited has spent nothing: what bounds that is the deadline.
      const tried = step.kind === 'over' ? fault : undefined;
      const delayMs = this.#pauseBefore(retry, { tried, course, deadlineAtMs: call.deadlineAtMs });
      if (delayMs === undefined) break;
      if (tried) {
        call.onRetry?.({ fault: tried, delayMs, retry });
        retry += 1;
      }
      try {
        await clock.sleep(delayMs, { signal: call.signal });
      } catch {
        fault = cancelled;
        break;
      }
    }
    yield { kind: 'error', fault: fault ?? resting };
  }

  /** One rung's answer, or the next one's if that speaks before a late first; returns the fault of a beginning. */
  #answer(
    step: Dial,
    of: {
      readonly course: LadderCall;
      readonly request: CompletionRequest;
      readonly call: CallOptions;
      readonly instead: Price | undefined;
    },
  ): Parts {
    const { call, course, instead, request } = of;
    const { board, clock } = this.#parts;
    const { lateMs } = board.health.of(step.rung).firstTokens;
    if (!call.hedge || call.whole || lateMs === undefined || step.permit.kind !== 'usual') {
      return this.#dial(step, request, { ...call, instead });
    }
    const start =
      (dial: Dial, as?: 'hedge'): Start =>
      (signal) =>
        this.#dial(dial, request, {
          ...call,
          instead,
          as,
          signal: AbortSignal.any([call.signal, signal]),
        });
    return race({
      ...{ clock, lateMs, first: start(step) },
      second: () => {
        const next = course.another(clock.monotonicMs());
        return next && this.#hedges.spend() ? start(next, 'hedge') : undefined;
      },
    });
  }

  /** Passes one rung's answer on; returns the fault that it ended in before any text. */
  async *#dial(
    { permit, rung }: Dial,
    request: CompletionRequest,
    call: CallOptions & {
      readonly as?: RungCall['as'] | undefined;
      readonly instead: Price | undefined;
    },
  ): Parts {
    const { board, clock } = this.#parts;
    const { as = permit.kind, instead } = call;
    const startedAtMs = clock.monotonicMs();
    const health = board.health.of(rung);
    let open = true;
    // Before its last part is passed on: who reads that asks for no more.
    const end = (ended: RungCall['ended'], fault?: ProviderFault) => {
      if (!open) return;
      open = false;
      health.inFlight -= 1;
      board.settle({ permit, rung }, ended === 'answered' ? 'answered' : fault);
      const { keyName: key, model, providerName: provider } = rung;
      const ms = clock.monotonicMs() - startedAtMs;
      call.onRungCall?.({ provider, key, model, as, ended, ms, fault });
    };
    let hasText = false;
    let usage: Usage | undefined;
    health.inFlight += 1;
    try {
      for await (const part of rung.provider.stream({ ...request, model: rung.model }, call)) {
        if (part.kind === 'error') {
          end(part.fault.code === 'cancelled' ? 'left' : 'failed', part.fault);
          if (!hasText) return part.fault;
          yield part;
        } else if (part.kind === 'finish') {
          end('answered');
          const costUsd = usage && rung.price && costOf(usage, rung.price);
          const saved =
            costUsd !== undefined && usage && instead && costOf(usage, instead) - costUsd;
          const told = {
            ...(costUsd !== undefined && { costUsd }),
            ...(typeof saved === 'number' && { savedUsd: saved }),
          };
          if (usage) this.#parts.onUsage?.({ rung, usage, ...told });
          yield { ...part, provider: rung.providerName, ...told };
        } else {
          if (part.kind === 'usage') usage = part.usage;
          if (part.kind === 'text' && !hasText) {
            hasText = true;
            // Of an answer in one piece only its end is known.
            if (!call.whole) health.firstTokens.add(clock.monotonicMs() - startedAtMs);
          }
          yield part;
        }
      }
      return undefined;
    } finally {
      end('left');
    }
  }

  /** How long to wait for the ladder's beginning; undefined: the fault is final. */
  #pauseBefore(
    retry: number,
    of: {
      readonly tried: ProviderFault | undefined;
      readonly course: LadderCall;
      readonly deadlineAtMs: number;
    },
  ): number | undefined {
    const { budget, clock, maxRetries, random } = this.#parts;
    const restMs = of.course.again(clock.monotonicMs());
    if (restMs === undefined || (of.tried && retry > maxRetries)) return undefined;
    const delayMs = fullJitterMs(backoff, retry, random) + restMs;
    if (clock.nowMs() + delayMs >= of.deadlineAtMs) return undefined;
    return of.tried === undefined || budget.spend() ? delayMs : undefined;
  }
}

/** What a rule says of a request that names no model. */
function chosenOf({ choice }: LadderLease, request: CompletionRequest): MadeChoice | undefined {
  if (!choice || request.model !== undefined) return undefined;
  const { rule, size } = chooseSize(request.messages);
  return { rule, size, model: choice[size] };
}

/** The price that would have been paid had the small model not been chosen. */
function insteadOf(lease: LadderLease, chosen: MadeChoice | undefined): Price | undefined {
  if (chosen?.size !== 'simple') return undefined;
  const rungs = lease.ladderOf(lease.choice?.complex)?.flat() ?? [];
  return rungs.find(({ price }) => price !== undefined)?.price;
}

/** The steps from a lower one on, those above it last. */
function loweredBy(steps: number, ladder: Ladder): Ladder {
  const first = steps % Math.max(1, ladder.length);
  return [...ladder.slice(first), ...ladder.slice(0, first)];
}

/** No other rung would do better, or nobody waits for it. */
function isFinal(fault: ProviderFault): boolean {
  return fault.code === 'cancelled' || blameOf(fault) === 'request';
}
