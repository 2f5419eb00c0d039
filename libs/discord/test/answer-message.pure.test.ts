import { messageId } from '@starling/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AnswerCall,
  type AnswerEvent,
  type AnswerState,
  newAnswer,
  type PostedPart,
  stepAnswer,
} from '../src/answer-message.ts';

const id = (index: number) => messageId.parse(String(100_000_000_000_000_000n + BigInt(index)));

/** A Discord of one answer: its messages in order, and a step for each call. */
class Channel {
  readonly shown = new Map<string, string>();
  /** Messages that carry the Stop button. */
  readonly stoppable = new Set<string>();
  readonly calls: AnswerCall[] = [];
  state: AnswerState;
  #ids = 0;

  constructor(state: AnswerState = newAnswer()) {
    this.state = state;
    for (const part of state.posted) this.#show(part);
  }

  /** Feeds an event, giving an edit its turn at once; returns the call that it leads to, unanswered. */
  feed(event: AnswerEvent): AnswerCall | undefined {
    const { state, effect } = stepAnswer(this.state, event);
    this.state = state;
    if (effect?.kind === 'await_turn') return this.feed({ kind: 'turn' });
    if (effect) this.calls.push(effect);
    return effect;
  }

  /** Makes the call and feeds its success; returns the next one. */
  succeed(call: AnswerCall): AnswerCall | undefined {
    const messageId = call.kind === 'post' ? id(this.#ids++) : call.messageId;
    const { content, stoppable } =
      call.kind === 'remove' ? { content: '', stoppable: false } : call;
    this.#show({ messageId, content, stoppable });
    if (call.kind === 'remove') this.shown.delete(messageId);
    return this.feed({ kind: 'done', messageId, content, stoppable });
  }

  #show({ content, messageId, stoppable }: PostedPart): void {
    this.shown.set(messageId, content);
    if (stoppable) this.stoppable.add(messageId);
    else this.stoppable.delete(messageId);
  }

  run(call: AnswerCall | undefined): void {
    for (let next = call; next; ) next = this.succeed(next);
  }
}

/** A message of an earlier process. */
const left = (index: number, content: string, stoppable = false): PostedPart => ({
  messageId: id(index),
  content,
  stoppable,
});

const text = (contents: string[], final = false): AnswerEvent => ({
  kind: 'text',
  contents,
  final,
});

describe('stepAnswer', () => {
  it('posts the first text, then edits it [A9]', () => {
    const channel = new Channel();
    channel.run(channel.feed(text(['Hel'])));
    channel.run(channel.feed(text(['Hello'], true)));
    expect(channel.calls.map(({ kind }) => kind)).toEqual(['post', 'edit']);
    expect(channel.state).toMatchObject({ kind: 'ended', end: 'delivered' });
  });

  it('has one call in flight and passes over what became old meanwhile [A9]', () => {
    const channel = new Channel();
    const post = channel.feed(text(['a']));
    expect(channel.feed(text(['ab']))).toBeUndefined();
    expect(channel.feed(text(['abc'], true))).toBeUndefined();
    if (post) channel.run(post);
    expect(channel.calls.map((call) => ('content' in call ? call.content : ''))).toEqual([
      'a',
      'abc',
    ]);
  });

  it('carries the newest text when an edit’s turn comes [A9]', () => {
    const channel = new Channel();
    channel.run(channel.feed(text(['a'])));
    const waiting = stepAnswer(channel.state, text(['ab']));
    expect(waiting.effect).toEqual({ kind: 'await_turn' });
    const newer = stepAnswer(waiting.state, text(['abc']));
    expect(newer.effect).toBeUndefined();
    const turn = stepAnswer(newer.state, { kind: 'turn' });
    expect(turn.effect).toMatchObject({ kind: 'edit', content: 'abc' });
    // A turn that comes while a call is in flight is nobody's.
    expect(stepAnswer(turn.state, { kind: 'turn' })).toEqual({ state: turn.state });
  });

  it('lets nothing overwrite the final text [A9]', () => {
    const channel = new Channel();
    const post = channel.feed(text(['final'], true));
    channel.feed(text(['late piece']));
    channel.run(post);
    expect([...channel.shown.values()]).toEqual(['final']);
  });

  it('carries the Stop button on its first message until the text is final [A10]', () => {
    const channel = new Channel();
    channel.run(channel.feed(text(['one', 'two'])));
    expect([...channel.stoppable]).toEqual([id(0)]);
    // Nothing but the button has to change.
    channel.run(channel.feed(text(['one', 'two'], true)));
    expect(channel.calls.at(-1)).toEqual({ kind: 'edit', part: 0, ...left(0, 'one') });
    expect([...channel.stoppable]).toEqual([]);
    expect(channel.state.end).toBe('delivered');
  });

  it('takes away the button that an earlier process left below the whole text [A10]', () => {
    const channel = new Channel(newAnswer([left(90, 'whole', true)]));
    channel.run(channel.feed(text(['whole'], true)));
    expect(channel.calls).toHaveLength(1);
    expect([...channel.stoppable]).toEqual([]);
  });

  it('posts an answer that is whole at once without a button, in one call', () => {
    const channel = new Channel();
    channel.run(channel.feed(text(['whole'], true)));
    expect(channel.calls).toEqual([{ kind: 'post', part: 0, content: 'whole', stoppable: false }]);
  });

  it('removes surplus parts once the text is final', () => {
    const channel = new Channel(newAnswer([left(90, 'one'), left(91, 'two'), left(92, 'three')]));
    channel.run(channel.feed(text(['uno'], true)));
    expect([...channel.shown.values()]).toEqual(['uno']);
    expect(channel.state.end).toBe('delivered');
  });

  it('edits when an enforced nonce brought back an earlier message', () => {
    const channel = new Channel();
    channel.feed(text(['whole answer'], true));
    const edit = channel.feed({ kind: 'done', ...left(7, 'half an', true) });
    expect(edit).toEqual({ kind: 'edit', part: 0, ...left(7, 'whole answer') });
  });

  it('ends when its message or channel is gone, and never posts again', () => {
    const channel = new Channel();
    channel.run(channel.feed(text(['a'])));
    channel.feed(text(['ab']));
    expect(channel.feed({ kind: 'gone' })).toBeUndefined();
    expect(channel.state.end).toBe('gone');
    expect(channel.feed(text(['abc'], true))).toBeUndefined();
  });

  it('takes a surplus part that is gone already for removed', () => {
    const channel = new Channel(newAnswer([left(90, 'one'), left(91, 'two')]));
    channel.feed(text(['one'], true));
    channel.feed({ kind: 'gone' });
    expect(channel.state.end).toBe('delivered');
  });

  it('waits for the next text after a failure in mid-stream, and gives up on the final one', () => {
    const channel = new Channel();
    channel.feed(text(['a']));
    expect(channel.feed({ kind: 'failed' })).toBeUndefined();
    expect(channel.feed(text(['ab'], true))).toMatchObject({ kind: 'post', content: 'ab' });
    channel.feed({ kind: 'failed' });
    expect(channel.state.end).toBe('failed');
  });

  it('always ends showing exactly the final parts, whatever came before [A9]', () => {
    const contents = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 4 });
    fc.assert(
      fc.property(
        fc.array(fc.record({ contents, succeed: fc.boolean() }), { maxLength: 12 }),
        contents,
        (steps, final) => {
          const channel = new Channel();
          let pending: AnswerCall | undefined;
          for (const step of steps) {
            pending = channel.feed(text([...step.contents])) ?? pending;
            if (step.succeed && pending) pending = channel.succeed(pending);
          }
          pending = channel.feed(text([...final], true)) ?? pending;
          channel.run(pending);
          expect(channel.state.posted.map((part) => part.content)).toEqual(final);
          expect([...channel.stoppable]).toEqual([]);
          expect(channel.state.end).toBe('delivered');
        },
      ),
    );
  });
});
