/** A provider for tests: answers by script, on a simulated clock if wished, and tells what it saw. */
import type { Clock } from '@starling/clock';
import type { PoolStats } from '@starling/pool';
import type { CallOptions, CompletionRequest, Provider, StreamPart } from './provider.ts';

/** What the fake does next. `wait` is cut short by an abort, as a socket would be. */
export type FakeStep = StreamPart | { readonly kind: 'wait'; readonly ms: number };

/** One call as the fake saw it. */
export interface FakeCall {
  readonly request: CompletionRequest;
  /** Whether the answer may come in one piece. */
  readonly whole: boolean;
  /** When the caller's abort reached it, milliseconds of the clock's wall time. */
  abortedAtMs: number | undefined;
  ended: boolean;
}

/** The parts of an ordinary answer. */
export function answerOf(...texts: readonly string[]): FakeStep[] {
  return [
    ...texts.map((text) => ({ kind: 'text' as const, text })),
    { kind: 'usage', usage: { promptTokens: 3, completionTokens: texts.length, estimated: false } },
    { kind: 'finish', reason: 'stop', model: 'fake-1' },
  ];
}

/** Keeps the port's promises: one ending, an abort ends it with `cancelled`. */
export class FakeProvider implements Provider {
  readonly name = 'fake';
  readonly defaultModel = 'fake-1';
  readonly maxConcurrent: number;
  readonly calls: FakeCall[] = [];
  readonly #clock: Clock;
  readonly #script: (request: CompletionRequest, call: number) => readonly FakeStep[];

  /** @param options.script the steps of the answer to a request; `call` counts from 0 */
  constructor(options: {
    readonly clock: Clock;
    readonly script: (request: CompletionRequest, call: number) => readonly FakeStep[];
    readonly maxConcurrent?: number;
  }) {
    this.#clock = options.clock;
    this.#script = options.script;
    this.maxConcurrent = options.maxConcurrent ?? 20;
  }

  async *stream(
    request: CompletionRequest,
    { signal, whole = false }: CallOptions,
  ): AsyncGenerator<StreamPart> {
    const steps = this.#script(request, this.calls.length);
    const call: FakeCall = { request, whole, abortedAtMs: undefined, ended: false };
    this.calls.push(call);
    try {
      for (const step of steps) {
        signal.throwIfAborted();
        if (step.kind === 'wait') await this.#clock.sleep(step.ms, { signal });
        else yield step;
      }
    } catch {
      call.abortedAtMs = this.#clock.nowMs();
      yield {
        kind: 'error',
        fault: { code: 'cancelled', retryable: false, detail: 'cancelled' },
      };
    } finally {
      call.ended = true;
    }
  }

  stats(): PoolStats {
    return {
      max: this.maxConcurrent,
      size: 0,
      borrowed: 0,
      waiters: 0,
      lent: 0,
      opened: 0,
      reuse: 1,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
