import type { BalancerId, CallKey, JobId } from '@starling/contracts';
import type { Context } from '@starling/telemetry';
import type { AnswerText } from './answer-text.ts';
import type { ApiProblem } from './api-problem.ts';
import type { Home } from './balancer-roster.ts';
import type { CallerReply } from './caller-reply.ts';
import type { ChatRequest } from './chat-request.ts';

/** Why a caller is no longer there. */
export type Departure = 'disconnected' | 'slow_reader';

/** How a request ended. */
export type Ending =
  | { readonly kind: 'answered' }
  | { readonly kind: 'failed'; readonly problem: ApiProblem }
  | { readonly kind: 'left'; readonly why: Departure };

/** A request that the fleet is asked to answer. */
export interface Ask {
  readonly requestId: string;
  readonly caller: string;
  readonly request: ChatRequest;
  readonly reply: CallerReply;
  /** The trace of the request. */
  readonly context: Context;
  /** When the request arrived, monotonic. */
  readonly arrivedAtMs: number;
  /** Where its job stands in the queue or, when that is too long for it, would have stood. */
  readonly onPlace: (place: { readonly position: number; readonly expectedWaitMs: number }) => void;
  /** Once, whatever happens. */
  readonly onEnded: (ending: Ending, submissions: number) => void;
}

/**
 * Where the request's job is. `homeless`: no balancer could be asked, which is tried again at each
 * look. `placed`: it stands in a balancer's queue, or runs. `running`: its balancer left in good order
 * and did not give it back, so that a worker has it, and nobody would tell us of that worker's death.
 */
export type Placement =
  | { readonly kind: 'homeless' }
  | { readonly kind: 'submitting'; readonly home: Home }
  | { readonly kind: 'placed'; readonly home: Home }
  | { readonly kind: 'running' }
  | { readonly kind: 'ended' };

/** One request and the job that stands for it now; each submission is a job of its own. */
export interface OpenJob {
  readonly ask: Ask;
  readonly acceptedAtMs: number;
  readonly deadlineAtMs: number;
  /** Under which its job may share a call; each submission has the same. */
  readonly callKey: CallKey | undefined;
  jobId: JobId;
  submissions: number;
  text: AnswerText;
  placement: Placement;
  /** When a piece of the answer came last, monotonic. */
  heardAtMs: number;
  /** Since when there is nobody to ask, monotonic. */
  homelessSinceMs: number | undefined;
  /** Balancers that turned this submission away. */
  tried: Set<BalancerId>;
}
