import type { BalancerId, CallKey, JobId, LoadReport } from '@starling/contracts';

/** What a job's run came to, as the worker saw it. */
export interface JobFinish {
  readonly outcome: 'done' | 'failed' | 'cancelled';
  /** LLM tokens used, prompt and completion together. */
  readonly tokens: number;
  /** From the call to its first token; absent when none came. */
  readonly firstTokenMs?: number;
  /** Whether the provider is to blame: it counts against this worker's health. */
  readonly failed: boolean;
}

/** Everything that can happen to a worker. */
export type WorkerEvent =
  | {
      readonly kind: 'run_requested';
      readonly jobId: JobId;
      readonly sequence: number;
      readonly attempt: number;
      readonly previousRevision: number | undefined;
      readonly from: BalancerId;
      /** The job may share a call of this key. */
      readonly callKey?: CallKey | undefined;
      /** It was sent to follow a call that is here; where none is, it is refused. */
      readonly follows?: boolean | undefined;
    }
  /** The answer to `claim`. `unknown`: none came; nothing is assumed. */
  | {
      readonly kind: 'claim_answered';
      readonly jobId: JobId;
      readonly answer:
        | { readonly kind: 'won'; readonly revision: number }
        | { readonly kind: 'lost' | 'unknown' };
    }
  /** The provider began to answer a call: what the worker's limit goes by. */
  | {
      readonly kind: 'first_token';
      readonly model: string;
      /** From the call to the token, milliseconds. */
      readonly afterMs: number;
    }
  /** The run ended; the slot is held until the end is written. */
  | { readonly kind: 'finished'; readonly jobId: JobId; readonly finish: JobFinish }
  /** The answer to `write_end`. `refused`: the claim was replaced. `unknown`: none came. */
  | {
      readonly kind: 'end_answered';
      readonly jobId: JobId;
      readonly answer: 'written' | 'refused' | 'unknown';
    }
  /**
   * The provider's stream of a shared call ended, before the `finished` of those who shared it. Of an
   * answer that is whole the text is kept until `forget_call`; it has so many characters.
   */
  | {
      readonly kind: 'call_ended';
      readonly callKey: CallKey;
      readonly characters: number | undefined;
    }
  | { readonly kind: 'cancel_requested'; readonly jobId: JobId }
  | { readonly kind: 'balancer_heard'; readonly balancerId: BalancerId }
  | { readonly kind: 'balancer_left'; readonly balancerId: BalancerId }
  /** What the provider has was learned, or has changed; undefined means any model. */
  | { readonly kind: 'models_known'; readonly models: LoadReport['models'] | undefined }
  /** Told to stop: nothing new, finish what runs. */
  | { readonly kind: 'drain' }
  /** The time of a `wake` has come. */
  | { readonly kind: 'woken' }
  /** Time passed; every `reportMs`. */
  | { readonly kind: 'tick' };

/** What the shell around the core must do. */
export type WorkerEffect =
  | {
      readonly kind: 'reply';
      readonly jobId: JobId;
      readonly to: BalancerId;
      readonly attempt: number;
      readonly answer: 'ok' | 'full' | 'draining' | 'lost';
      /** With `full`: the job was to follow a call that is not here, or that no more may follow. */
      readonly callGone?: true;
    }
  /** Claim it in the ledger: create, or update over `previousRevision`. */
  | {
      readonly kind: 'claim';
      readonly jobId: JobId;
      readonly attempt: number;
      readonly previousRevision: number | undefined;
      /** The call that it shares from now on, as its leader or after it; absent: a call of its own. */
      readonly callKey: CallKey | undefined;
    }
  /** Fetch the body and run it. */
  | {
      readonly kind: 'start';
      readonly jobId: JobId;
      readonly sequence: number;
      readonly attempt: number;
    }
  /** Close the provider's stream now; `finished` follows unless the job was fenced. */
  | { readonly kind: 'stop'; readonly jobId: JobId; readonly reason: 'cancelled' }
  /** Write the end over the claim, result inside. */
  | {
      readonly kind: 'write_end';
      readonly jobId: JobId;
      readonly attempt: number;
      readonly revision: number;
      readonly finish: JobFinish;
    }
  /** The end stands: send the last frame. */
  | { readonly kind: 'settled'; readonly jobId: JobId; readonly attempt: number }
  /** The claim was replaced: settle what was reserved, send nothing. */
  | { readonly kind: 'fenced'; readonly jobId: JobId; readonly attempt: number }
  | { readonly kind: 'report'; readonly report: LoadReport }
  /** Come back with `woken` after this long, to report what changed; it replaces the wake before. */
  | { readonly kind: 'wake'; readonly delayMs: number }
  /** The text of this call need not be kept any longer. */
  | { readonly kind: 'forget_call'; readonly callKey: CallKey }
  /** Drained: nothing runs and nothing will. */
  | { readonly kind: 'drained' };
