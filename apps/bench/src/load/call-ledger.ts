import { Histogram } from '../stats/histogram.ts';
import type { CallEnding } from './chat-call.ts';
import type { CallTrace, LoadPlan, LoadResult } from './load-plan.ts';

/** Failures that are told in words. */
const maxProblems = 5;

/** One call as the generator sees it; times are milliseconds after the run's start. */
export interface MadeCall {
  readonly prompt: string;
  readonly answerTokens: number | undefined;
  readonly dueMs: number;
  readonly sentMs: number;
  abortedMs?: number;
}

/** Counts what became of the calls of one run. What was due during the warm-up is left out. */
export class CallLedger {
  readonly #plan: LoadPlan;
  readonly #startedAtMs: number;
  readonly #counts = { whole: 0, aborted: 0, failed: 0 };
  readonly #statuses: Record<string, number> = {};
  readonly #problems: string[] = [];
  readonly #traces: CallTrace[] = [];
  readonly #latency = new Histogram();
  readonly #firstToken = new Histogram();
  readonly #lateness = new Histogram();
  #calls = 0;
  #notSent = 0;
  #wholeInTime = 0;

  /** @param startedAtMs wall-clock time of the run's start */
  constructor(plan: LoadPlan, startedAtMs: number) {
    this.#plan = plan;
    this.#startedAtMs = startedAtMs;
  }

  notSent(dueMs: number): void {
    if (this.#measured(dueMs)) this.#notSent += 1;
  }

  sent(call: MadeCall): void {
    this.#calls += 1;
    if (this.#measured(call.dueMs)) this.#lateness.add(call.sentMs - call.dueMs);
  }

  status(call: MadeCall, code: number): void {
    if (this.#measured(call.dueMs)) this.#statuses[code] = (this.#statuses[code] ?? 0) + 1;
  }

  firstToken(call: MadeCall, atMs: number): void {
    if (this.#measured(call.dueMs)) this.#firstToken.add(atMs - call.dueMs);
  }

  ended(call: MadeCall, ending: CallEnding, atMs: number): void {
    const { warmUpMs, measureMs, maxTraces } = this.#plan;
    const inTime = atMs >= warmUpMs && atMs < warmUpMs + measureMs;
    if (ending.kind === 'whole' && inTime) this.#wholeInTime += 1;
    if (!this.#measured(call.dueMs)) return;
    this.#counts[ending.kind] += 1;
    if (ending.kind === 'whole') this.#latency.add(atMs - call.dueMs);
    if (ending.kind === 'failed' && this.#problems.length < maxProblems) {
      this.#problems.push(ending.reason);
    }
    if (this.#traces.length >= maxTraces) return;
    const { prompt, answerTokens, dueMs, abortedMs } = call;
    this.#traces.push({
      prompt,
      ...(answerTokens !== undefined && { answerTokens }),
      dueAtMs: this.#startedAtMs + dueMs,
      ...(abortedMs !== undefined && { abortedAtMs: this.#startedAtMs + abortedMs }),
      endMs: atMs - dueMs,
      ending: ending.kind,
    });
  }

  result(): LoadResult {
    return {
      calls: this.#calls,
      ...this.#counts,
      notSent: this.#notSent,
      statuses: this.#statuses,
      problems: this.#problems,
      perSecond: (this.#wholeInTime * 1000) / this.#plan.measureMs,
      latency: this.#latency.toJSON(),
      firstToken: this.#firstToken.toJSON(),
      lateness: this.#lateness.toJSON(),
      traces: this.#traces,
    };
  }

  #measured(dueMs: number): boolean {
    return dueMs >= this.#plan.warmUpMs;
  }
}
