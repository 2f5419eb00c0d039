/** A ladder over fake providers on a simulated clock. */
import { type Random, SimulatedClock } from '@starling/clock';
import { BreakerBoard } from '../src/ladder/breaker-board.ts';
import type { ModelChoice } from '../src/ladder/ladder-config.ts';
import { LadderProvider, type Ladders, type UsedTokens } from '../src/ladder/ladder-provider.ts';
import { RetryBudget } from '../src/ladder/retry-budget.ts';
import type { Ladder, Price, Rung } from '../src/ladder/rung.ts';
import type { CallOptions, MadeChoice, Retry, RungCall, StreamPart } from '../src/provider.ts';
import type { ProviderFault } from '../src/provider-fault.ts';
import { FakeProvider, type FakeStep } from '../src/testing.ts';

export type Script = (call: number) => readonly FakeStep[];

export const fails = (changes: Partial<ProviderFault> = {}): FakeStep[] => [
  {
    kind: 'error',
    fault: { code: 'provider_unavailable', detail: 'http_500', retryable: true, ...changes },
  },
];

/** Draws the longest wait there is. */
const highest: Random = { next: () => 1, integer: (bound) => bound - 1 };

/** A rung as a test names it: who answers, under which key. */
export interface FakeRung {
  readonly model: string;
  readonly key?: string;
  readonly price?: Price;
  readonly script: Script;
}

export class LadderBench {
  readonly clock = new SimulatedClock();
  readonly retries: Retry[] = [];
  readonly rungCalls: RungCall[] = [];
  readonly used: UsedTokens[] = [];
  readonly choices: MadeChoice[] = [];
  readonly board = new BreakerBoard({ clock: this.clock });
  readonly fakes = new Map<string, FakeProvider>();
  readonly provider: LadderProvider;

  constructor(
    steps: readonly (readonly FakeRung[])[],
    options: {
      readonly random?: Random;
      readonly budget?: RetryBudget;
      /** A second model, and which of the two is for what. */
      readonly choice?: ModelChoice & { readonly large: readonly (readonly FakeRung[])[] };
    } = {},
  ) {
    const ladderOf = (of: typeof steps): Ladder =>
      of.map((keys) => keys.map((rung) => this.#rung(rung)));
    const all = new Map([
      ['chat', ladderOf(steps)],
      ['large', ladderOf(options.choice?.large ?? [])],
    ]);
    const { choice } = options;
    const ladders: Ladders = {
      ...{ name: 'fake', defaultModel: 'chat', maxConcurrent: 20 },
      stats: () => new FakeProvider({ clock: this.clock, script: () => [] }).stats(),
      lease: () => ({
        ...(choice && { choice: { simple: choice.simple, complex: choice.complex } }),
        ladderOf: (model) => all.get(model ?? 'chat'),
        [Symbol.dispose]: () => {},
      }),
    };
    this.provider = new LadderProvider({
      ladders: () => ladders,
      board: this.board,
      budget: options.budget ?? new RetryBudget(this.clock),
      clock: this.clock,
      random: options.random ?? highest,
      maxRetries: 2,
      onUsage: (used) => this.used.push(used),
    });
  }

  /** Calls of a model so far. */
  calls(model: string, key = ''): number {
    return this.fakes.get(`${model} ${key}`)?.calls.length ?? 0;
  }

  /** Asks once and moves time on until the answer has ended. */
  async ask(
    options: Partial<CallOptions> & {
      readonly deadlineMs?: number;
      readonly model?: string;
      readonly question?: string;
    } = {},
  ): Promise<StreamPart[]> {
    const parts: StreamPart[] = [];
    let ended = false;
    const request = {
      ...{ messages: [{ role: 'user' as const, content: options.question ?? 'Hello?' }] },
      maxCompletionTokens: 100,
      model: options.model,
    };
    const reading = (async () => {
      for await (const part of this.provider.stream(request, {
        signal: new AbortController().signal,
        deadlineAtMs: this.clock.nowMs() + (options.deadlineMs ?? 60_000),
        onRetry: (retry) => this.retries.push(retry),
        onRungCall: (call) => this.rungCalls.push(call),
        onChoice: (made) => this.choices.push(made),
        ...options,
      })) {
        parts.push(part);
      }
    })().finally(() => {
      ended = true;
    });
    // Without a wait it ends within the present moment.
    await this.clock.advance(0);
    while (!ended) await this.clock.advance(50);
    await reading;
    return parts;
  }

  #rung({ key = '', model, price, script }: FakeRung): Rung {
    const fake = new FakeProvider({ clock: this.clock, script: (_, call) => script(call) });
    this.fakes.set(`${model} ${key}`, fake);
    const providerName = `${model}-house`;
    const keyId = `${providerName} ${key}`;
    return {
      ...{ id: `${keyId} ${model}`, keyId, keyName: key, model, price, providerName },
      provider: fake,
    };
  }
}
