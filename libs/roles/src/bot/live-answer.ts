/**
 * Drives one answer in Discord: carries out what `stepAnswer` decides, waits for turns, tries again.
 * Texts come faster than Discord takes edits; only the newest is composed when its turn comes.
 */
import type { Clock, Random } from '@starling/clock';
import type { DiscordOrigin, JobId } from '@starling/contracts';
import {
  type AnswerCall,
  type AnswerEffect,
  type AnswerEvent,
  type AnswerState,
  messageContents,
  newAnswer,
  type PostedPart,
  SendError,
  stepAnswer,
} from '@starling/discord';
import { type Backoff, fullJitterMs } from '@starling/lifecycle';
import { type Context, type Logger, type PhaseTimeline, runIn } from '@starling/telemetry';
import type { AnswerPosts } from './answer-posts.ts';
import type { DiscordSender } from './discord-ports.ts';
import { isQueueLine } from './queue-line.ts';

export interface LiveAnswerParts {
  readonly sender: DiscordSender;
  readonly posts: AnswerPosts;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly jobId: JobId;
  /** The message that is answered: the first part is shown as a reply to it. */
  readonly origin: DiscordOrigin;
  readonly timeline: PhaseTimeline;
  readonly context: Context;
  /** Messages of this answer that exist already. */
  readonly posted?: readonly PostedPart[];
}

export type AnswerEnd = NonNullable<AnswerState['end']>;

interface Latest {
  readonly text: string;
  readonly final: boolean;
  /** False: a word about the answer. */
  readonly isAnswer: boolean;
}

/** Tries of a final text: about 15 s of an unreachable Discord, after which the result comes again. */
const maxTries = 7;
const backoff: Backoff = { baseMs: 250, capMs: 5_000 };

export class LiveAnswer implements Disposable {
  readonly #parts: LiveAnswerParts;
  readonly #ended = Promise.withResolvers<AnswerEnd>();
  readonly #disposed = new AbortController();
  #state: AnswerState;
  /** A text that the state does not know yet. */
  #latest: Latest | undefined;
  /** What the state was told last is text of the answer, not a word about it. */
  #isAnswer = false;
  /** Text of the answer was shown, or is about to be: no word comes in its place any more. */
  #answering = false;
  #finishing = false;
  #failures = 0;
  #turn: Disposable | undefined;
  /** The wait for a turn that was taken already. */
  #turnMs: number | undefined;
  #posts = 0;
  #edits = 0;
  #firstTextAtMs: number | undefined;

  constructor(parts: LiveAnswerParts) {
    this.#parts = parts;
    this.#state = newAnswer(parts.posted);
  }

  /** Messages that exist, in order. */
  get posted(): readonly PostedPart[] {
    return this.#state.posted;
  }

  /**
   * Calls that succeeded so far, and when the first text of the answer stood there (monotonic
   * milliseconds); a word about it, as of its failure, does not count.
   */
  get tally() {
    return { posts: this.#posts, edits: this.#edits, firstTextAtMs: this.#firstTextAtMs };
  }

  /**
   * A line about the place in the queue, until the answer begins. False when it is left out for now: a
   * call is under way, or the channel is busy.
   */
  note(line: string): boolean {
    const { calling, posted, waiting } = this.#state;
    const [first] = posted;
    // What stands there and is no such line was text of an earlier process.
    if (this.#answering || first?.content === line || (first && !isQueueLine(first.content))) {
      return true;
    }
    if (calling || waiting) return false;
    const { origin, sender } = this.#parts;
    const turnMs = sender.reserveNote(origin.channelId, first ? 'edit' : 'post');
    if (turnMs === undefined) return false;
    this.#turnMs = turnMs;
    this.#take({ text: line, final: false, isAnswer: false });
    this.#turnMs = undefined;
    return true;
  }

  /** The answer so far; may be passed over by a newer text. */
  show(text: string): void {
    this.#answering = true;
    if (!this.#finishing) this.#take({ text, final: false, isAnswer: true });
  }

  /**
   * The last word; an empty one takes away what stands there. Resolves when Discord has it
   * (`delivered`), when there is no place for it any more (`gone`), or when its tries are used up
   * (`failed`).
   */
  finish(last: { readonly text: string; readonly isAnswer: boolean }): Promise<AnswerEnd> {
    this.#answering = true;
    if (!this.#finishing) {
      this.#finishing = true;
      this.#take({ ...last, final: true });
    }
    return this.#ended.promise;
  }

  /** Lets go: nothing is called afterwards, what stands in Discord stays, and `finish` has failed. */
  [Symbol.dispose](): void {
    this.#disposed.abort();
    this.#turn?.[Symbol.dispose]();
    this.#ended.resolve('failed');
  }

  #take(latest: Latest): void {
    this.#latest = latest;
    if (!this.#state.calling && !this.#state.waiting) this.#feedLatest();
  }

  #feedLatest(): void {
    const latest = this.#latest;
    if (!latest) return;
    this.#latest = undefined;
    this.#isAnswer = latest.isAnswer;
    this.#feed({ kind: 'text', contents: this.#compose(latest.text), final: latest.final });
  }

  #compose(text: string): readonly string[] {
    const { clock, context, timeline } = this.#parts;
    const startMs = clock.monotonicMs();
    const contents = messageContents(text);
    const tookMs = clock.monotonicMs() - startMs;
    const endMs = clock.nowMs();
    runIn(context, () => timeline.record('compose', { startMs: endMs - tookMs, endMs }));
    return contents;
  }

  #feed(event: AnswerEvent): void {
    if (this.#disposed.signal.aborted) return;
    const { effect, state } = stepAnswer(this.#state, event);
    this.#state = state;
    if (state.end) this.#ended.resolve(state.end);
    if (effect) this.#perform(effect);
  }

  #perform(effect: AnswerEffect): void {
    const { clock, context, origin, sender } = this.#parts;
    if (effect.kind !== 'await_turn') {
      void runIn(context, () => this.#make(effect));
      return;
    }
    this.#turn?.[Symbol.dispose]();
    const turnMs = this.#turnMs ?? sender.reserveEdit(origin.channelId);
    this.#turn = clock.schedule(turnMs, () => {
      this.#feedLatest();
      this.#feed({ kind: 'turn' });
    });
  }

  /** Makes a call and tells the state how it ended. Of the final text a call is tried again. */
  async #make(call: AnswerCall): Promise<void> {
    const { clock, logger, random, timeline } = this.#parts;
    const isAnswer = this.#isAnswer;
    for (;;) {
      try {
        const done = await timeline.run('send', () => this.#send(call));
        this.#failures = 0;
        if (isAnswer && call.kind !== 'remove') this.#firstTextAtMs ??= clock.monotonicMs();
        // First what is wanted by now, then what stands there: so the next call is the right one.
        this.#feedLatest();
        this.#feed({ kind: 'done', ...done });
        break;
      } catch (error) {
        const fault = error instanceof SendError ? error.fault : 'unavailable';
        // What Discord will never take is as lost as what has no place any more.
        if (fault === 'gone' || (fault === 'refused' && this.#finishing)) {
          if (fault === 'refused') logger.error('discord.refused', { call: call.kind, error });
          this.#feed({ kind: 'gone' });
          break;
        }
        this.#failures += 1;
        logger.warn('discord.call_failed', { call: call.kind, failures: this.#failures, error });
        const hopeless = fault === 'unauthorised' || this.#failures >= maxTries;
        const rested = await this.#rest(fullJitterMs(backoff, this.#failures, random), clock);
        if (!rested) return;
        if (this.#finishing && !hopeless) continue;
        this.#feed({ kind: 'failed' });
        break;
      }
    }
    if (!this.#state.calling && !this.#state.waiting) this.#feedLatest();
  }

  async #rest(delayMs: number, clock: Clock): Promise<boolean> {
    return clock.sleep(delayMs, { signal: this.#disposed.signal }).then(
      () => true,
      () => false,
    );
  }

  async #send(call: AnswerCall): Promise<PostedPart> {
    const { jobId, origin, posts, sender } = this.#parts;
    const { channelId, messageId: replyTo, userId: asker } = origin;
    switch (call.kind) {
      case 'post': {
        const { content, part, stoppable } = call;
        const nonce = posts.posting({ jobId, part });
        const posted = await sender.post(channelId, {
          ...{ content, nonce },
          ...(part === 0 && { replyTo }),
          ...(stoppable && { stop: { jobId, asker } }),
        });
        posts.posted(nonce, posted.messageId);
        this.#posts += 1;
        return posted;
      }
      case 'edit': {
        const { content, messageId, stoppable } = call;
        const stop = stoppable && { stop: { jobId, asker } };
        await sender.edit(channelId, { messageId, content, ...stop });
        this.#edits += 1;
        return { messageId, content, stoppable };
      }
      case 'remove':
        await sender.remove(channelId, call.messageId);
        return { messageId: call.messageId, content: '', stoppable: false };
    }
  }
}
