/**
 * What came back to each message that a person wrote and each interaction that a person caused: the
 * bot's messages that answer it, how often they were edited, when the first text stood there, and
 * when the bot was seen typing. `AnswerLinks` decides what answers what.
 */
import type { Clock } from '@starling/clock';
import type { Interaction } from '../rest/interactions/interaction-book.ts';
import { BoundedMap } from '../rest/messages/bounded-map.ts';
import { isEmpty } from '../rest/messages/message-draft.ts';
import type { ChannelEvent } from '../rest/messages/message-events.ts';
import type { Platform } from '../rest/platform.ts';
import { type MessageView, viewOf } from './message-view.ts';
import { PeopleError } from './people-error.ts';

/** A message of an answer. */
export type AnswerMessage = MessageView & { readonly editedCount: number };

export interface Answer {
  /** Whether a message with something to show that is not only pending, or a modal, is there. */
  readonly answered: boolean;
  /** Whether it had stayed unchanged for the time asked for when the wait ended. */
  readonly settled: boolean;
  readonly messages: readonly AnswerMessage[];
  /** The contents of all of them, one below the other. */
  readonly text: string;
  readonly edits: number;
  /** From the question to the first text, milliseconds; null before there is one. */
  readonly firstTextMs: number | null;
  /** From the question to the last change. */
  readonly lastChangeMs: number | null;
  /** When the bot was seen typing before its first text, milliseconds after the question. */
  readonly typing: readonly number[];
  readonly ephemeral: boolean;
  /** "The application did not respond": an interaction without a response in time. */
  readonly expired: boolean;
  readonly modal?: Readonly<Record<string, unknown>>;
}

interface Entry {
  readonly id: string;
  readonly askedMs: number;
  /** Message id → times it was edited. */
  readonly edits: Map<string, number>;
  readonly typing: number[];
  readonly changed: Set<() => void>;
  firstTextMs?: number;
  lastChangeMs?: number;
}

/** Questions remembered; the oldest goes and is then unknown to the door. */
const maxQuestions = 50_000;
/** Waits at once, twenty for each of a thousand people; further ones are refused with 503. */
const maxWaits = 20_000;
/** Questions of one channel that typing is counted for; the oldest is counted no more. */
const maxOpenInChannel = 200;
/** Typing times kept of one question, and parts of one answer. */
const maxTypingTimes = 100;
const maxParts = 100;

export class AnswerBook implements Disposable {
  readonly #clock: Clock;
  readonly #platform: Platform;
  readonly #entries = new BoundedMap<string, Entry>(() => maxQuestions);
  /** Questions without a text yet, by channel: those that the bot may be typing for. */
  readonly #open = new BoundedMap<string, Set<Entry>>(() => maxQuestions);
  readonly #listening: Disposable;
  #waits = 0;

  readonly #maxWaits: number;

  /** @param bound waits at once; further ones are refused with 503 */
  constructor(platform: Platform, bound = maxWaits) {
    this.#maxWaits = bound;
    this.#clock = platform.clock;
    this.#platform = platform;
    this.#listening = platform.board.listen(undefined, (event) => this.#notice(event));
  }

  /** Starts to follow what answers a message or interaction. Call it in the turn in which it was asked. */
  follow(question: { readonly id: string; readonly channelId: string }): void {
    const entry: Entry = {
      id: question.id,
      askedMs: this.#clock.monotonicMs(),
      edits: new Map(),
      typing: [],
      changed: new Set(),
    };
    this.#entries.set(question.id, entry);
    const open = this.#open.get(question.channelId) ?? new Set();
    this.#open.set(question.channelId, open.add(entry));
    if (open.size <= maxOpenInChannel) return;
    const [oldest] = open;
    if (oldest) open.delete(oldest);
  }

  /**
   * Waits until there is an answer that stayed unchanged for `quietMs`, or the time is over.
   * @throws PeopleError 404 for a question that the door does not know, 503 at the bound of waits
   */
  async wait(
    id: string,
    options: { readonly timeoutMs: number; readonly quietMs: number; readonly signal: AbortSignal },
  ): Promise<Answer> {
    const entry = this.#entries.get(id);
    if (!entry) throw unknownQuestion(id);
    if (this.#waits >= this.#maxWaits) throw tooManyWaits(this.#maxWaits);
    this.#waits += 1;
    try {
      const endMs = this.#clock.monotonicMs() + options.timeoutMs;
      for (;;) {
        const nowMs = this.#clock.monotonicMs();
        const answer = this.#answerOf(entry, nowMs, options.quietMs);
        const over = nowMs >= endMs || options.signal.aborted;
        if (answer.settled || answer.expired || over) return answer;
        const quietAtMs = answer.answered ? (entry.lastChangeMs ?? nowMs) + options.quietMs : endMs;
        const wakeMs = Math.min(endMs, quietAtMs, this.#ackDueMs(id) ?? endMs);
        await this.#change(entry, { forMs: wakeMs - nowMs, signal: options.signal });
      }
    } finally {
      this.#waits -= 1;
    }
  }

  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]();
  }

  #notice(event: ChannelEvent): void {
    if (event.kind === 'typing') {
      if (event.userId === this.#platform.world.bot.id) this.#typing(event.channelId);
      return;
    }
    const entry = event.answersTo === undefined ? undefined : this.#entries.get(event.answersTo);
    if (!entry || event.message.author.id !== this.#platform.world.bot.id) return;
    const { id } = event.message;
    const nowMs = this.#clock.monotonicMs();
    if (event.kind === 'deleted') entry.edits.delete(id);
    else {
      const before = entry.edits.get(id);
      if (before === undefined && entry.edits.size >= maxParts) return;
      entry.edits.set(id, event.kind === 'edited' ? (before ?? 0) + 1 : 0);
      const shows = event.message.content !== '' && !this.#platform.board.isPending(event.message);
      if (entry.firstTextMs === undefined && shows) {
        entry.firstTextMs = nowMs - entry.askedMs;
        this.#open.get(event.message.channel_id)?.delete(entry);
      }
    }
    entry.lastChangeMs = nowMs;
    for (const wake of [...entry.changed]) wake();
  }

  #typing(channelId: string): void {
    const nowMs = this.#clock.monotonicMs();
    for (const entry of this.#open.get(channelId) ?? []) {
      if (entry.typing.length < maxTypingTimes) entry.typing.push(nowMs - entry.askedMs);
    }
  }

  #answerOf(entry: Entry, nowMs: number, quietMs: number): Answer {
    const interaction = this.#platform.interactions.get(entry.id);
    const modal = modalOf(interaction);
    const messages = [...entry.edits].flatMap(([id, editedCount]) => {
      const message = this.#platform.board.find(id);
      return message ? [{ message, view: { ...viewOf(message), editedCount } }] : [];
    });
    const shows = messages.some(
      ({ message }) => !this.#platform.board.isPending(message) && !isEmpty(message),
    );
    const answered = shows || modal !== undefined;
    const { lastChangeMs } = entry;
    return {
      answered,
      settled: answered && nowMs - (lastChangeMs ?? entry.askedMs) >= quietMs,
      messages: messages.map(({ view }) => view),
      text: messages.map(({ view }) => view.content).join('\n'),
      edits: messages.reduce((sum, { view }) => sum + view.editedCount, 0),
      firstTextMs: entry.firstTextMs ?? null,
      lastChangeMs: lastChangeMs === undefined ? null : lastChangeMs - entry.askedMs,
      typing: entry.typing,
      ephemeral: messages.some(({ view }) => view.ephemeral),
      expired: interaction ? this.#platform.interactions.isExpired(interaction) : false,
      ...(modal ? { modal } : {}),
    };
  }

  /** When an interaction that waits for its first response expires. */
  #ackDueMs(id: string): number | undefined {
    const interaction = this.#platform.interactions.get(id);
    if (interaction?.state.kind !== 'waiting') return undefined;
    return this.#clock.monotonicMs() + this.#platform.interactions.ackRemainingMs(interaction);
  }

  #change(
    entry: Entry,
    options: { readonly forMs: number; readonly signal: AbortSignal },
  ): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        timer[Symbol.dispose]();
        entry.changed.delete(wake);
        options.signal.removeEventListener('abort', wake);
        resolve();
      };
      const timer = this.#clock.schedule(options.forMs, wake);
      entry.changed.add(wake);
      options.signal.addEventListener('abort', wake, { once: true });
    });
  }
}

function modalOf(interaction: Interaction | undefined) {
  return interaction?.state.kind === 'acknowledged' ? interaction.state.modal : undefined;
}

function unknownQuestion(id: string): PeopleError {
  const problem = 'no such message or interaction of a person, or it is too old';
  const remedy = 'use the messageId or interactionId that the door returned';
  return new PeopleError({ field: 'messageId', value: id, problem, remedy }, 404);
}

function tooManyWaits(bound: number): PeopleError {
  const problem = `${bound} waits at once are the most`;
  const remedy = 'wait for fewer answers at once, or give waits a shorter timeoutMs';
  return new PeopleError({ field: '', value: null, problem, remedy }, 503);
}
