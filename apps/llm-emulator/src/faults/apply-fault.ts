/** Each fault as a transformation of a reply's steps. */
import type { ProviderProblem, StreamEncoder } from '../dialects/dialect.ts';
import type { ReplyHeaders, Step } from '../reply-steps.ts';
import type { Fault } from './fault.ts';
import { insertAfter } from './insert-after.ts';
import { refusalSteps } from './refusal-steps.ts';

/** What a fault needs to know about the reply it strikes. */
export interface StruckReply {
  /** Writes the stream's frames; `undefined` for a reply that is sent whole. */
  readonly encoder: StreamEncoder | undefined;
  /** LLM tokens of the whole answer. */
  readonly answerTokens: number;
  readonly errorBody: (problem: ProviderProblem) => string;
  readonly limitHeaders: (limits: Extract<Fault, { kind: 'headers' }>['limits']) => ReplyHeaders;
}

/** Lets what was written reach the client before the reset, which may discard what is under way. */
const resetGraceMs = 20;

/** The steps with the fault in them. */
export function applyFault(
  steps: Iterable<Step>,
  fault: Fault,
  reply: StruckReply,
): Iterable<Step> {
  const { encoder } = reply;
  /** An answer that is shorter than the fault's place is struck right at its end. */
  const count = 'afterTokens' in fault ? Math.min(fault.afterTokens, reply.answerTokens) : 0;
  switch (fault.kind) {
    case 'status':
      return refusalSteps(fault, reply);
    case 'headers':
      return mapHead(steps, { ...reply.limitHeaders(fault.limits), ...fault.headers });
    case 'header-stall':
      return concat(wait(fault.stallMs), steps);
    case 'first-token-stall':
      return encoder
        ? insertAfter(steps, 0, () => wait(fault.stallMs))
        : concat(wait(fault.stallMs), steps);
    case 'mid-stream-stall':
      return insertAfter(steps, count, () => wait(fault.stallMs));
    case 'truncated': {
      const kind = fault.abrupt || !encoder ? 'cut' : 'end';
      return insertAfter(steps, count, () => [{ kind }], 'drop');
    }
    case 'error-in-stream':
      return errorInside(steps, count, fault, reply);
    case 'reset': {
      const reset: Step = { kind: 'reset' };
      if (fault.at === 'before') return [reset];
      return insertAfter(steps, count, () => [...wait(resetGraceMs), reset], 'drop');
    }
    case 'slow-drip':
      return drip(steps, fault);
    case 'garbage-json':
      return encoder
        ? insertAfter(steps, Math.max(1, count), () => [frame(encoder.garbage())])
        : insertAfter(
            unsized(steps),
            count,
            () => [frame('<<not json>>'), { kind: 'end' }],
            'drop',
          );
    case 'huge-chunk': {
      const text = ' huge'.repeat(Math.ceil(fault.bytes / 5));
      return encoder
        ? insertAfter(steps, Math.max(1, count), () => [frame(encoder.piece('text', text))])
        : beforeBody(unsized(steps), frame(' '.repeat(fault.bytes)));
    }
    case 'endless': {
      const more = () => encoder?.piece('text', ' more') ?? ' more';
      return insertAfter(unsized(steps), Math.max(1, count), () => forEver(more, fault.gapMs));
    }
    case 'wrong-content-type':
      return mapHead(steps, { 'content-type': fault.contentType });
    case 'no-usage':
      // The reply was written without its usage: see `omitsUsage`.
      return steps;
  }
}

/** Whether the reply is to be written without its usage in the first place. */
export const omitsUsage = (fault: Fault | undefined): boolean => fault?.kind === 'no-usage';

const wait = (ms: number): readonly Step[] => [{ kind: 'wait', ms }];

const frame = (data: string): Step => ({ kind: 'bytes', data, tokens: 0, role: 'frame' });

function* concat(first: Iterable<Step>, second: Iterable<Step>): Generator<Step> {
  yield* first;
  yield* second;
}

function* mapHead(steps: Iterable<Step>, added: ReplyHeaders): Generator<Step> {
  for (const step of steps) {
    yield step.kind === 'head' ? { ...step, headers: { ...step.headers, ...added } } : step;
  }
}

/** Without the length that the fault will make wrong. */
function* unsized(steps: Iterable<Step>): Generator<Step> {
  for (const step of steps) {
    if (step.kind === 'head') {
      const { 'content-length': _length, ...headers } = step.headers;
      yield { ...step, headers };
    } else {
      yield step;
    }
  }
}

function* beforeBody(steps: Iterable<Step>, inserted: Step): Generator<Step> {
  for (const step of steps) {
    if (step.kind === 'bytes') yield inserted;
    yield step;
  }
}

function* forEver(write: () => string, gapMs: number): Generator<Step> {
  for (;;) {
    yield { kind: 'wait', ms: gapMs };
    yield { kind: 'bytes', data: write(), tokens: 1, role: 'frame' };
  }
}

function errorInside(
  steps: Iterable<Step>,
  count: number,
  fault: Extract<Fault, { kind: 'error-in-stream' }>,
  reply: StruckReply,
): Iterable<Step> {
  const message = fault.message ?? 'Simulated failure in the middle of the answer.';
  const problem = { status: fault.status, message };
  const { encoder } = reply;
  return encoder
    ? insertAfter(steps, count, () => [frame(encoder.error(problem)), { kind: 'end' }], 'drop')
    : replaceBody(unsized(steps), reply.errorBody(problem));
}

function* replaceBody(steps: Iterable<Step>, data: string): Generator<Step> {
  for (const step of steps) yield step.kind === 'bytes' ? { ...step, data, tokens: 0 } : step;
}

function* drip(
  steps: Iterable<Step>,
  fault: Extract<Fault, { kind: 'slow-drip' }>,
): Generator<Step> {
  for (const step of steps) {
    if (step.kind !== 'bytes') {
      yield step;
      continue;
    }
    const bytes = Buffer.from(step.data);
    for (let from = 0; from < bytes.length; from += fault.bytesPerWrite) {
      const data = bytes.subarray(from, from + fault.bytesPerWrite);
      const last = from + fault.bytesPerWrite >= bytes.length;
      yield { ...step, data, tokens: last ? step.tokens : 0 };
      yield { kind: 'wait', ms: fault.gapMs };
    }
  }
}
