/**
 * One question from the moment it addressed us to its ending: typing, frames, result, deadline,
 * deletion. Whatever comes first ends it; the rest finds it ended.
 */
import { withoutThoughts } from '@starling/chat';
import type { Frame, QueuePlace, RefusalCode, Resend, Result } from '@starling/contracts';
import type { PostedPart } from '@starling/discord';
import { addFrame, type FrameAssembly, noFrames } from '../delivery/frame-assembly.ts';
import { AnswerWriter, type AnswerWriterParts } from './answer-writer.ts';
import { type Ending, endingOf, failedEnding } from './ending.ts';
import { JobNews } from './job-news.ts';
import type { AnswerEnding, Question } from './question.ts';
import { isWorthALine, queueLine } from './queue-line.ts';
import { startTyping } from './typing.ts';

export interface OpenAnswerParts extends AnswerWriterParts {
  /** Asks for the frames that are missing. */
  readonly askAgain: (missing: Resend) => void;
  /** Called once, when nothing more will be written. */
  readonly onEnd: (ending: AnswerEnding) => void;
}

/** A failure that may pass is worth another try after this; the deadline says more only in hindsight. */
const retryHintMs = 15_000;
/** However long the line is. */
const maxRetryHintMs = 300_000;

/** A result that Discord did not take comes again; if it does not within this, the answer is given up. */
const undeliveredMs = 60_000;

export class OpenAnswer implements Disposable {
  readonly question: Question;
  readonly #parts: OpenAnswerParts;
  readonly #writer: AnswerWriter;
  #frames: FrameAssembly = noFrames;
  #stored: number | undefined;
  readonly #news: JobNews;
  #typing: Disposable | undefined;
  #deadline: Disposable | undefined;
  #delivering: Promise<'delivered' | 'busy'> | undefined;
  /** A word instead of an answer is being written; resolves when it stands there. */
  #ending: Promise<void> | undefined;
  readonly #whenOver = Promise.withResolvers<void>();
  #over = false;
  /** A text of the answer was sent, or is about to be. */
  #shown = false;
  /** An earlier process accepted it. */
  #inherited = false;
  /** Its question was deleted: an end with nothing to stand below is left out. */
  #unwanted = false;

  constructor(question: Question, parts: OpenAnswerParts, posted: readonly PostedPart[] = []) {
    this.question = question;
    this.#parts = parts;
    this.#news = new JobNews(parts.clock.monotonicMs());
    this.#writer = new AnswerWriter(question, parts, posted);
  }

  /** True once we know that the job is ours to answer: we have stored it. */
  get accepted(): boolean {
    return this.#stored !== undefined;
  }

  /**
   * What was said so far is known here. Not so of an answer that an earlier process began, until its
   * frames were asked for and came: its end tells what it said.
   */
  get isKnown(): boolean {
    return !this.#inherited || this.#frames.text !== '';
  }

  /** Where its job lies in `JOBS` when nothing was heard of it for so long; then that counts as heard. */
  silentFor(ms: number): number | undefined {
    const nowMs = this.#parts.clock.monotonicMs();
    if (this.#delivering !== undefined || this.#news.silentMs(nowMs) < ms) return undefined;
    this.#news.heard(nowMs);
    return this.#stored;
  }

  /** True once it ended or was let go of. */
  get over(): boolean {
    return this.#over;
  }

  /** Resolves when it ended or was let go of. */
  get whenOver(): Promise<void> {
    return this.#whenOver.promise;
  }

  /** Shows that we have seen the question and are at it. */
  type(): void {
    const { clock, sender } = this.#parts;
    this.#typing ??= startTyping({ clock, sender, channel: this.question.origin.channelId });
  }

  /** An earlier process accepted the question: what it left in the channel is looked for and edited. */
  inherit(): void {
    this.#inherited = true;
    this.#writer.inherit();
  }

  /** Its job is stored in this place of `JOBS`: from now on its end is waited for, for so long. */
  expect(options: { readonly stored: number; readonly forMs: number }): void {
    if (this.#over) return;
    this.#stored = options.stored;
    this.#wait(options.forMs);
  }

  /** Its job waits. */
  onOutlook(place: QueuePlace): void {
    if (this.accepted) this.#news.waits(place, this.#parts.clock.monotonicMs());
  }

  /** Where its job was last known to wait; undefined when it does so no more, for all we know. */
  get place(): QueuePlace | undefined {
    const waits = this.#endable && !this.#shown;
    return waits ? this.#news.place(this.#parts.clock.monotonicMs()) : undefined;
  }

  /**
   * Says where its job waits in the place of the answer, until its first text. False when the channel
   * has no room for that now.
   */
  showPlace(): boolean {
    const { place } = this;
    if (!place || !(isWorthALine(place) || this.#writer.posted.length > 0)) return true;
    return this.#writer.note(queueLine(place));
  }

  /** A piece of the stream: the first one is shown at once. */
  onFrame(frame: Frame): void {
    if (this.#over || this.#delivering !== undefined) return;
    this.#news.heard(this.#parts.clock.monotonicMs());
    const frames = addFrame(this.#frames, frame);
    if (frames === this.#frames) return;
    this.#frames = frames;
    if (frames.hole) {
      const { attempt, next: from } = frames;
      this.#parts.askAgain({ jobId: this.question.jobId, attempt, from });
      return;
    }
    const text = withoutThoughts(frames.text, { open: true });
    if (frames.broken || text.trim() === '') return;
    this.#stopTyping();
    this.#shown = true;
    this.#writer.show(text);
  }

  /**
   * The result: `delivered` once the user has it, or nobody ever will; `busy` when Discord would not
   * take it now, or while a failure is being written: it then finds the answer ended, and replaces
   * what may be replaced. The same result twice joins the first.
   */
  deliver(result: Result): Promise<'delivered' | 'busy'> {
    if (this.#over) return Promise.resolve('delivered');
    if (this.#ending !== undefined) return this.#ending.then(() => 'busy');
    this.#delivering ??= this.#deliver(result).finally(() => {
      this.#delivering = undefined;
    });
    return this.#delivering;
  }

  /** Ends it with an honest word instead of an answer. */
  async fail(failure: {
    readonly kind: 'failed' | 'refused';
    readonly code: RefusalCode;
    readonly retryAtMs?: number;
    readonly placeBefore?: QueuePlace;
    /** A result that comes all the same replaces the word. */
    readonly settled: boolean;
  }): Promise<void> {
    if (!this.#endable) return;
    const ending = failedEnding({
      ...failure,
      partialText: this.#frames.text,
      correlationId: this.question.correlationId,
      retryAtMs: failure.retryAtMs ?? this.#parts.clock.nowMs() + retryHintMs,
    });
    await this.#end(ending, { text: ending.text, settled: failure.settled });
  }

  /** The question was deleted: below what was shown already stands that it was stopped, else nothing. */
  async withdraw(): Promise<void> {
    this.#unwanted = true;
    if (!this.#endable || !this.isKnown) return;
    const stopped = this.#stopped();
    await this.#end(stopped, { text: this.#shown ? stopped.text : '', settled: true });
  }

  /**
   * Its user wants no more of it: below what was shown stands that it was stopped. False when something
   * else ends it already, or its end has to tell what it said.
   */
  stop(): boolean {
    if (!this.#endable || !this.isKnown) return false;
    const stopped = this.#stopped();
    void this.#end(stopped, { text: stopped.text, settled: true });
    return true;
  }

  /** Lets go without a word: another process answers, or this one ends. */
  [Symbol.dispose](): void {
    this.#over = true;
    this.#whenOver.resolve();
    this.#stopTyping();
    this.#deadline?.[Symbol.dispose]();
    this.#writer[Symbol.dispose]();
  }

  /** Nothing has ended it yet, nor is about to. */
  get #endable(): boolean {
    return !this.#over && this.#delivering === undefined && this.#ending === undefined;
  }

  /** Ends it without a result, with `text` as the last word. */
  async #end(
    ending: Ending,
    { settled, text }: { readonly settled: boolean; readonly text: string },
  ): Promise<void> {
    this.#stopTyping();
    this.#ending = this.#writer
      .finish({ text, isAnswer: false })
      .then((end) => this.#finish({ ending, end, settled }));
    await this.#ending;
  }

  #stopped(): Ending {
    return failedEnding({
      code: 'cancelled',
      partialText: this.#frames.text,
      correlationId: this.question.correlationId,
      retryAtMs: undefined,
    });
  }

  async #deliver(result: Result): Promise<'delivered' | 'busy'> {
    const ending = this.#endingOf(result);
    const reached = await this.#writer.reach(ending.text);
    this.#stopTyping();
    this.#deadline?.[Symbol.dispose]();
    const isAnswer = ending.report.kind === 'answered';
    const text = this.#unwanted && !this.#writer.hasText ? '' : ending.text;
    const end = reached ? await this.#writer.finish({ text, isAnswer }) : 'failed';
    if (end === 'failed') {
      if (!this.#over) {
        this.#writer.renew();
        this.#wait(undeliveredMs);
      }
      return 'busy';
    }
    this.#finish({ ending, end, result, settled: true });
    return 'delivered';
  }

  #wait(forMs: number): void {
    this.#deadline?.[Symbol.dispose]();
    this.#deadline = this.#parts.clock.schedule(forMs, () => void this.#expire());
  }

  #endingOf({ outcome }: Result): Ending {
    const { correlationId } = this.question;
    const retryAtMs = (waitMs = retryHintMs) =>
      this.#parts.clock.nowMs() + Math.min(maxRetryHintMs, waitMs);
    return endingOf(outcome, { correlationId, retryAtMs });
  }

  async #expire(): Promise<void> {
    const reached = await this.#writer.reach('');
    if (this.#over) return;
    if (reached) await this.fail({ kind: 'failed', code: 'deadline_exceeded', settled: false });
    else this.#wait(retryHintMs);
  }

  #finish(
    ended: Pick<AnswerEnding, 'ending' | 'end' | 'settled'> & { readonly result?: Result },
  ): void {
    if (this.#over) return;
    const { posted, tally } = this.#writer;
    const { edits, firstTextAtMs, posts } = tally;
    const { receivedAtMs } = this.question;
    this[Symbol.dispose]();
    this.#parts.onEnd({
      question: this.question,
      ...ended,
      ...{ edits, posted, posts },
      ...(firstTextAtMs !== undefined && { firstTextMs: firstTextAtMs - receivedAtMs }),
    });
  }

  #stopTyping(): void {
    this.#typing?.[Symbol.dispose]();
    this.#typing = undefined;
  }
}
