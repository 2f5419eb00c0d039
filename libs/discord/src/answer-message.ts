/**
 * One answer as Discord shows it: a list of messages that is brought step by step to what it should
 * say. A pure state machine; the caller makes the calls and tells how they ended. One call is in
 * flight at a time, so that the last write wins and parts appear in their order; what is not final
 * may be passed over, the final text never (features A9).
 */
import type { MessageId } from '@starling/contracts';

/** What one message of the answer shows. */
interface PartView {
  readonly content: string;
  /** It carries the Stop button: the first one does, until the text is final. */
  readonly stoppable: boolean;
}

/** A message of the answer that exists, as Discord has it. */
export interface PostedPart extends PartView {
  readonly messageId: MessageId;
}

/** A call to Discord. */
export type AnswerCall =
  | ({ readonly kind: 'post'; readonly part: number } & PartView)
  | ({ readonly kind: 'edit'; readonly part: number } & PostedPart)
  | { readonly kind: 'remove'; readonly messageId: MessageId };

/**
 * What to do next. An edit waits for its turn in the channel's pace first and is chosen only then, so
 * that it carries the newest text.
 */
export type AnswerEffect = AnswerCall | { readonly kind: 'await_turn' };

export interface AnswerState {
  readonly kind: 'open' | 'ended';
  readonly posted: readonly PostedPart[];
  /** Contents that should stand there, in order. */
  readonly wanted: readonly string[];
  /** True once `wanted` is the last word. */
  readonly final: boolean;
  readonly calling: AnswerCall | undefined;
  /** True while an edit waits for its turn. */
  readonly waiting: boolean;
  /** How it ended: all stands there, or there is nothing left to write to. */
  readonly end: 'delivered' | 'gone' | 'failed' | undefined;
}

export type AnswerEvent =
  /** What should stand there now; ignored once the final text is known. */
  | { readonly kind: 'text'; readonly contents: readonly string[]; readonly final: boolean }
  /** The channel's pace allows an edit now. */
  | { readonly kind: 'turn' }
  /** A call succeeded. This is what Discord has now: with an enforced nonce, what an earlier post said. */
  | ({ readonly kind: 'done' } & PostedPart)
  /** The call's target, or the channel, is gone or closed to us. */
  | { readonly kind: 'gone' }
  /** The call failed and was not worth another try now. */
  | { readonly kind: 'failed' };

/** An answer of which `posted` exists already: none, or what an earlier process left. */
export function newAnswer(posted: readonly PostedPart[] = []): AnswerState {
  return {
    kind: 'open',
    posted,
    wanted: [],
    final: false,
    calling: undefined,
    waiting: false,
    end: undefined,
  };
}

/** The state after an event, and what to do next, if anything. */
export function stepAnswer(state: AnswerState, event: AnswerEvent): AnswerStep {
  if (state.kind === 'ended') return { state };
  return next(applied(state, event), event.kind === 'turn');
}

export interface AnswerStep {
  readonly state: AnswerState;
  readonly effect?: AnswerEffect;
}

function applied(state: AnswerState, event: AnswerEvent): AnswerState {
  switch (event.kind) {
    case 'text':
      return state.final && !event.final
        ? state
        : { ...state, wanted: event.contents, final: event.final };
    case 'turn':
      return state.calling ? state : { ...state, waiting: false };
    case 'done':
      return { ...state, posted: postedAfter(state, event), calling: undefined };
    case 'gone':
      // A surplus part that is gone already is what removing it was for.
      return state.calling?.kind === 'remove'
        ? { ...state, posted: withoutPart(state, state.calling.messageId), calling: undefined }
        : { ...state, kind: 'ended', end: 'gone', calling: undefined };
    case 'failed':
      // Of a text that is still growing the next one will be tried; of the final one there is no next.
      return state.final
        ? { ...state, kind: 'ended', end: 'failed', calling: undefined }
        : { ...state, wanted: [], calling: undefined };
  }
}

function postedAfter(
  { calling, posted }: AnswerState,
  { content, messageId, stoppable }: PostedPart,
): readonly PostedPart[] {
  const done = { messageId, content, stoppable };
  switch (calling?.kind) {
    case 'post':
      return [...posted, done];
    case 'edit':
      return posted.map((part, index) => (index === calling.part ? done : part));
    case 'remove':
      return posted.filter((part) => part.messageId !== calling.messageId);
    case undefined:
      return posted;
  }
}

function withoutPart({ posted }: AnswerState, messageId: MessageId): readonly PostedPart[] {
  return posted.filter((part) => part.messageId !== messageId);
}

function next(state: AnswerState, hasTurn: boolean): AnswerStep {
  if (state.kind === 'ended' || state.calling) return { state };
  const call = missing(state);
  if (!call) {
    return state.final
      ? { state: { ...state, kind: 'ended', end: 'delivered', waiting: false } }
      : { state };
  }
  if (call.kind === 'edit' && !hasTurn) {
    return state.waiting
      ? { state }
      : { state: { ...state, waiting: true }, effect: { kind: 'await_turn' } };
  }
  return { state: { ...state, calling: call, waiting: false }, effect: call };
}

/** The first difference between what stands there and what should. */
function missing({ final, posted, wanted }: AnswerState): AnswerCall | undefined {
  for (const [part, content] of wanted.entries()) {
    const existing = posted[part];
    const stoppable = part === 0 && !final;
    if (!existing) return { kind: 'post', part, content, stoppable };
    if (existing.content !== content || existing.stoppable !== stoppable) {
      return { kind: 'edit', part, messageId: existing.messageId, content, stoppable };
    }
  }
  const surplus = posted[wanted.length];
  return final && surplus ? { kind: 'remove', messageId: surplus.messageId } : undefined;
}
