/**
 * A stand-in for a home balancer and the worker behind it, for the tests of the front door: it speaks
 * the protocol of ephemeral jobs over any bus, answers by script, and keeps what it was told. It can
 * die, freeze, drain and lose its worker.
 */
import type { Bus, BusMessage } from '@starling/bus';
import type { Clock } from '@starling/clock';
import {
  type BalancerHeartbeat,
  type BalancerId,
  balancerHeartbeatContract,
  balancerId,
  type Cancel,
  cancelContract,
  decode,
  type ErrorCode,
  encode,
  frameContract,
  type JobId,
  type JobOutcome,
  type Result,
  type Returned,
  resultContract,
  resultReplyContract,
  returnedContract,
  type SubmitReply,
  subjects,
  submitReplyContract,
  workerId,
} from '@starling/contracts';
import { type FakeSubmit, submitIn } from './fake-submit.ts';

/** What the fake's worker does next with a job. `lose`: a frame goes missing on its way. */
export type HomeStep =
  | { readonly kind: 'text' | 'lose'; readonly text: string }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly code: ErrorCode }
  | { readonly kind: 'worker_lost' };

/** A submission as it arrived. */
export interface Submission {
  readonly submit: FakeSubmit;
  readonly headers: BusMessage['headers'];
  readonly at: BalancerId;
}

/** A fake home's script and size. */
export interface FakeHomeOptions {
  readonly id?: string;
  readonly slots?: number;
  readonly models?: readonly string[];
  readonly script?: (submit: FakeSubmit) => readonly HomeStep[];
  /** Answers instead of the queue; undefined lets the job in. */
  readonly refuse?: (submit: FakeSubmit) => SubmitReply | undefined;
}

const heartbeatMs = 250;

/** The parts of an ordinary answer. */
export function homeAnswer(...texts: readonly string[]): HomeStep[] {
  return [...texts.map((text) => ({ kind: 'text' as const, text })), { kind: 'done' }];
}

export class FakeHome implements AsyncDisposable {
  readonly id: BalancerId;
  readonly submissions: Submission[] = [];
  readonly cancels: (Cancel & { readonly atMs: number })[] = [];
  /** Results that the ingress said it has. */
  readonly taken: JobId[] = [];
  readonly #bus: Bus;
  readonly #clock: Clock;
  readonly #options: FakeHomeOptions;
  readonly #epoch: number;
  readonly #stack = new AsyncDisposableStack();
  readonly #waiting: FakeSubmit[] = [];
  readonly #running = new Map<JobId, AbortController>();
  #state: 'lives' | 'draining' | 'frozen' | 'dead' = 'lives';
  #heartbeat: Disposable | undefined;

  private constructor(bus: Bus, clock: Clock, options: FakeHomeOptions) {
    this.#bus = bus;
    this.#clock = clock;
    this.#options = options;
    this.#epoch = clock.nowMs();
    this.id = balancerId.parse(options.id ?? 'home-a');
  }

  static async start(
    parts: { readonly bus: Bus; readonly clock: Clock },
    options: FakeHomeOptions = {},
  ): Promise<FakeHome> {
    const home = new FakeHome(parts.bus, parts.clock, options);
    await home.#listen();
    return home;
  }

  /** Jobs that hold a slot. */
  get running(): number {
    return this.#running.size;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Kill -9: its queue and its worker's streams are gone, and nobody is told. */
  async kill(): Promise<void> {
    this.#state = 'dead';
    this.#stopAll();
    await this.#stack.disposeAsync();
  }

  /** SIGSTOP: it is there for the server, and says nothing any more. */
  freeze(): void {
    this.fallSilent();
    this.#stopAll();
  }

  /** The balancer ends, the worker behind it does not. */
  fallSilent(): void {
    this.#state = 'frozen';
  }

  /** Takes nothing new and gives back what waits; what runs ends as usual. */
  drain(): void {
    this.#state = 'draining';
    this.#beat();
    for (const { job } of this.#waiting.splice(0)) this.#giveBack(job, 'draining');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async #listen(): Promise<void> {
    const { messaging } = this.#bus;
    const stack = this.#stack;
    stack.use(
      await messaging.subscribe(subjects.submit(this.id), (message) => this.#onSubmit(message)),
    );
    stack.use(
      await messaging.subscribe(subjects.allCancels, ({ payload }) => {
        const decoded = decode(cancelContract, payload);
        if (decoded.ok) this.#onCancel(decoded.value);
      }),
    );
    stack.defer(() => this.#heartbeat?.[Symbol.dispose]());
    this.#beat();
  }

  #beat(): void {
    this.#heartbeat?.[Symbol.dispose]();
    if (this.#state === 'dead') return;
    this.#heartbeat = this.#clock.schedule(heartbeatMs, () => this.#beat());
    if (this.#state === 'frozen') return;
    const { models } = this.#options;
    const heartbeat: BalancerHeartbeat = {
      balancerId: this.id,
      epoch: this.#epoch,
      draining: this.#state === 'draining',
      ...(models && { models: [...models] }),
    };
    this.#publish(subjects.balancerHeartbeat, encode(balancerHeartbeatContract, heartbeat));
  }

  #onSubmit(message: BusMessage): void {
    if (this.#state === 'frozen') return;
    const submit = submitIn(message);
    const reply = this.#decide(submit);
    message.respond(encode(submitReplyContract, { reply }));
    if (reply.kind === 'refused') return;
    this.submissions.push({ submit, headers: message.headers, at: this.id });
    this.#waiting.push(submit);
    this.#next();
  }

  #decide(submit: FakeSubmit): SubmitReply {
    if (this.#state === 'draining') return { kind: 'refused', code: 'draining', retryAfterMs: 0 };
    const refusal = this.#options.refuse?.(submit);
    if (refusal) return refusal;
    const position = this.#running.size < this.#slots ? 0 : this.#waiting.length + 1;
    return { kind: 'accepted', position, expectedWaitMs: position * 100 };
  }

  get #slots(): number {
    return this.#options.slots ?? 1_000;
  }

  #next(): void {
    while (this.#running.size < this.#slots) {
      const submit = this.#waiting.shift();
      if (!submit) return;
      const stop = new AbortController();
      this.#running.set(submit.job.jobId, stop);
      void this.#run(submit, stop.signal).finally(() => {
        this.#running.delete(submit.job.jobId);
        this.#next();
      });
    }
  }

  #onCancel(cancel: Cancel): void {
    this.cancels.push({ ...cancel, atMs: this.#clock.monotonicMs() });
    const at = this.#waiting.findIndex(({ job }) => job.jobId === cancel.jobId);
    if (at >= 0) this.#waiting.splice(at, 1);
    this.#running.get(cancel.jobId)?.abort();
  }

  async #run(submit: FakeSubmit, signal: AbortSignal): Promise<void> {
    const { job } = submit;
    let text = '';
    let sequence = 0;
    for (const step of this.#options.script?.(submit) ?? homeAnswer('Hello', ' world')) {
      if (signal.aborted) return;
      switch (step.kind) {
        case 'text':
        case 'lose':
          text += step.text;
          if (step.kind === 'text' && job.origin.stream) this.#frame(job, sequence, step.text);
          sequence += 1;
          break;
        case 'wait':
          await this.#clock.sleep(step.ms, { signal }).catch(() => {});
          break;
        case 'worker_lost':
          this.#giveBack(job, 'worker_lost');
          return;
        case 'failed':
          await this.#result(job, { kind: 'failed', code: step.code, partialText: text });
          return;
        case 'done':
          await this.#result(job, {
            kind: 'done',
            text,
            model: job.model ?? 'fake-model',
            finishReason: 'stop',
            usage: { promptTokens: 3, completionTokens: sequence, estimated: false },
            frames: job.origin.stream ? sequence : 0,
          });
          return;
      }
    }
    // A script without an end hangs, as a provider may, until the job is cancelled.
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  #frame({ jobId, origin }: FakeSubmit['job'], sequence: number, text: string): void {
    this.#publish(
      subjects.frame(origin.ingressId, jobId, 1),
      encode(frameContract, { jobId, attempt: 1, sequence, text }),
    );
  }

  async #result(job: FakeSubmit['job'], outcome: JobOutcome): Promise<void> {
    const { jobId, origin, acceptedAtMs } = job;
    const result: Result = {
      ...{ jobId, attempt: 1, origin, acceptedAtMs, outcome },
      timings: { queueMs: 0, dispatchMs: 0, llmMs: 0 },
      dispatchedBy: this.id,
      servedBy: workerId.parse('fake-worker'),
    };
    const bytes = encode(resultContract, result);
    const asked = this.#bus.messaging.request(subjects.result(origin.ingressId), bytes, {
      timeoutMs: 5_000,
    });
    const reply = await asked.then(
      ({ payload }) => decode(resultReplyContract, payload),
      () => undefined,
    );
    if (reply?.ok && reply.value.kind === 'taken') this.taken.push(jobId);
  }

  #giveBack({ jobId, origin }: FakeSubmit['job'], why: Returned['why']): void {
    const returned = encode(returnedContract, { jobId, balancerId: this.id, why });
    this.#publish(subjects.returned(origin.ingressId), returned);
  }

  #publish(subject: string, payload: Uint8Array): void {
    try {
      this.#bus.messaging.publish(subject, payload);
    } catch {
      // The bus is closed, and so is everybody who would have read it.
    }
  }

  #stopAll(): void {
    this.#waiting.length = 0;
    for (const stop of this.#running.values()) stop.abort();
  }
}
