/** A worker's open calls of the provider, with the jobs that read them: what truly runs. */
import type { JobFinish } from '@starling/balance';
import type { CallKey, JobId } from '@starling/contracts';
import type { Cluster } from './cluster.ts';
import type { AskedMessage } from './discord.ts';
import type { Node } from './node.ts';

/** What the worker is told. */
export interface CallEars {
  /** Before those who read it hear of their end; `characters` is absent of a call that was given up. */
  ended(callKey: CallKey, characters: number | undefined): void;
  finished(jobId: JobId, finish: JobFinish): void;
  poisoned(): void;
}

interface Call {
  readonly callKey: CallKey | undefined;
  /** Whoever has a place, reading or not yet. */
  readonly readers: Set<JobId>;
  readonly reading: Set<JobId>;
  state: 'idle' | 'open' | 'whole' | 'deserted';
  /** Who called. */
  caller: AskedMessage | undefined;
}

/** Any: only that there is a text counts here. */
const characters = 100;
/** From a claim to a text that was there already. */
const replayMs = 1;

/** See the module's header. */
export class SimCalls {
  readonly #node: Node;
  readonly #cluster: Cluster;
  readonly #ears: CallEars;
  readonly #byKey = new Map<CallKey, Call>();
  readonly #byJob = new Map<JobId, Call>();
  /** Streams that are open. */
  readonly open = new Set<Call>();

  constructor(node: Node, cluster: Cluster, ears: CallEars) {
    this.#node = node;
    this.#cluster = cluster;
    this.#ears = ears;
  }

  /** Everything is gone with the process. */
  clear(): void {
    this.#byKey.clear();
    this.#byJob.clear();
    this.open.clear();
  }

  /** Whether the job reads a stream that is open. */
  isReading(jobId: JobId): boolean {
    return this.#byJob.get(jobId)?.state === 'open';
  }

  /** The job takes a place: at a call of its own, or at that of its key. */
  sit(jobId: JobId, callKey: CallKey | undefined): void {
    let call = callKey === undefined ? undefined : this.#byKey.get(callKey);
    if (!call) {
      const sets = { readers: new Set<JobId>(), reading: new Set<JobId>() };
      call = { callKey, ...sets, state: 'idle', caller: undefined };
      if (callKey !== undefined) this.#byKey.set(callKey, call);
    }
    call.readers.add(jobId);
    this.#byJob.set(jobId, call);
  }

  /** The job's claim stands: it reads, and calls if nobody has. */
  read(jobId: JobId): void {
    const { discord } = this.#cluster;
    const message = discord.messageOf(jobId);
    const call = this.#byJob.get(jobId);
    if (!message || !call) return;
    call.reading.add(jobId);
    this.#cluster.checker.read(message, call.caller ?? message);
    const leftMs = Math.max(0, message.header.deadlineAtMs - this.#node.nowMs);
    this.#node.after(leftMs, () => this.leave(jobId, 'failed'));
    if (call.state === 'whole') this.#node.after(replayMs, () => this.#finish(jobId, call));
    else if (call.state === 'idle') this.#begin(call, message);
  }

  /** The job goes before the end; with the last one the stream is closed. */
  leave(jobId: JobId, outcome: 'failed' | 'cancelled' | undefined): void {
    const call = this.#byJob.get(jobId);
    if (!call) return;
    this.#byJob.delete(jobId);
    call.readers.delete(jobId);
    call.reading.delete(jobId);
    if (call.readers.size === 0) this.#desert(call);
    else if (call.state === 'open' && call.caller?.header.jobId === jobId) {
      this.#cluster.tally.count('call went on without its caller');
    }
    if (outcome) this.#ears.finished(jobId, { outcome, tokens: 0, failed: false });
  }

  /** The answer is kept no longer. */
  forget(callKey: CallKey): void {
    this.#byKey.delete(callKey);
  }

  #begin(call: Call, message: AskedMessage): void {
    const { tally } = this.#cluster;
    call.state = 'open';
    call.caller = message;
    this.open.add(call);
    tally.providerCalls += 1;
    const { life } = this.#node;
    if (message.poison) {
      this.#cluster.simulation.after(message.serviceMs, () => {
        if (this.#node.life === life) this.#ears.poisoned();
      });
      return;
    }
    this.#node.after(message.serviceMs, () => {
      if (call.state !== 'open') return;
      call.state = 'whole';
      this.open.delete(call);
      if (call.callKey !== undefined) this.#ears.ended(call.callKey, characters);
      for (const jobId of [...call.reading]) this.#finish(jobId, call);
    });
  }

  #finish(jobId: JobId, call: Call): void {
    if (this.#byJob.get(jobId) !== call) return;
    this.#byJob.delete(jobId);
    call.reading.delete(jobId);
    const message = this.#cluster.discord.messageOf(jobId);
    const pays = call.caller?.header.jobId === jobId;
    const tokens = pays ? (message?.header.tokenEstimate ?? 0) : 0;
    if (!pays) this.#cluster.tally.count('answered by the call of another');
    this.#ears.finished(jobId, { outcome: 'done', tokens, failed: false });
  }

  #desert(call: Call): void {
    const { callKey } = call;
    if (call.state === 'whole') return;
    call.state = 'deserted';
    this.open.delete(call);
    if (callKey === undefined || this.#byKey.get(callKey) !== call) return;
    this.#byKey.delete(callKey);
    this.#ears.ended(callKey, undefined);
  }
}
