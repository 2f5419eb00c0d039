/**
 * Who is owed an answer, and who got one or more.
 *
 * A person's addressed message is answered by the bot's first message that references it. What else
 * the bot posts is judged by reference and nonce. A nonce that ends in a separator (`-`, `.`, `_`,
 * `:`) and a part number has what stands before them as its *family*; any other nonce is a family of
 * its own; no nonce has no family.
 *
 * - A message with a nonce that the same answer already used is a **second answer** (a send that was
 *   tried again without `enforce_nonce`).
 * - A message that references an answered one is a **continuation** if both it and the first answer
 *   carry nonces of one family, and a **second answer** otherwise: two processes that answered, or
 *   two jobs for one message. So an answer in parts references the question in its first part only.
 * - A message without a reference is a **continuation** of the answer with its nonce's family, or of
 *   the one that its poster's place suggests (`inferred`: a thread, a direct message). With no such
 *   answer, in a direct message, it answers the oldest message that is owed there; anywhere else it
 *   is unprompted and judged by nothing.
 *
 * An interaction is answered by its response or first follow-up; later follow-ups continue it.
 */
import type { AddressedEvent, AnsweredEvent } from '../core/ports.ts';

/** Parts of one answer whose nonces are remembered; later parts are not checked for repetition. */
const maxParts = 64;

/** One addressed message or interaction. */
export interface Entry extends AddressedEvent {
  /** Messages that answer it, continuations not included; the first one is the answer. */
  readonly answers: Map<string, AnsweredEvent>;
  readonly nonces: Set<string>;
  /** Its person took it back: nothing is owed to it any more, whatever becomes of its answer. */
  withdrawn?: true;
  deliveredMs?: number;
  acknowledgedMs?: number;
  acknowledgements: number;
}

export type Verdict =
  | { readonly kind: 'answer' | 'continuation' | 'unprompted' }
  | { readonly kind: 'second_answer'; readonly entry: Entry; readonly reason: string };

/** The book of what is owed. */
export interface Owed {
  /** @returns false when the id is known already */
  open(event: AddressedEvent): boolean;
  get(id: string): Entry | undefined;
  answer(event: AnsweredEvent): Verdict;
  withdraw(id: string): void;
  /** A bot message is gone: an entry that only it answered is owed again. */
  retract(messageId: string): void;
  waiting(): Iterable<Entry>;
  readonly answeredCount: number;
  /** Entries forgotten at the bound before they were answered. */
  readonly droppedCount: number;
}

/** @returns the part of a nonce that names its job, by the rule above */
export function nonceFamily(nonce: string | undefined): string | undefined {
  return nonce?.replace(/(?<=.)[-._:]\d{1,3}$/, '');
}

export function createOwed(bound: () => number): Owed {
  const waiting = new Map<string, Entry>();
  const settled = new Map<string, Entry>();
  /** Answer message id, and `channel family`, to the id of what was answered. */
  const byAnswer = new Map<string, string>();
  const byFamily = new Map<string, string>();
  let answeredCount = 0;
  let droppedCount = 0;

  const get = (id: string) => waiting.get(id) ?? settled.get(id);
  const familyKey = (event: AnsweredEvent) => {
    const family = nonceFamily(event.nonce);
    return family === undefined ? undefined : `${event.channelId} ${family}`;
  };

  function forget(entry: Entry): void {
    waiting.delete(entry.id);
    settled.delete(entry.id);
    for (const answer of entry.answers.values()) {
      if (byAnswer.get(answer.messageId) === entry.id) byAnswer.delete(answer.messageId);
      const key = familyKey(answer);
      if (key !== undefined && byFamily.get(key) === entry.id) byFamily.delete(key);
    }
  }

  function trim(): void {
    if (waiting.size + settled.size <= bound()) return;
    for (const oldest of settled.size > 0 ? settled.values() : waiting.values()) {
      if (settled.size === 0) droppedCount += 1;
      forget(oldest);
      return;
    }
  }

  function settle(entry: Entry, event: AnsweredEvent): void {
    entry.answers.set(event.messageId, event);
    // A message that answered a question may later answer the press of its own button too.
    if (!byAnswer.has(event.messageId)) byAnswer.set(event.messageId, entry.id);
    const key = familyKey(event);
    if (key !== undefined && !byFamily.has(key)) byFamily.set(key, entry.id);
    if (waiting.delete(entry.id)) {
      settled.set(entry.id, entry);
      answeredCount += 1;
    }
  }

  /** What an unreferenced message belongs to. */
  function entryOfUnreferenced(event: AnsweredEvent): Entry | undefined {
    const key = familyKey(event);
    const known = key === undefined ? undefined : get(byFamily.get(key) ?? '');
    if (known) return known;
    for (const entry of waiting.values()) {
      const isDm = entry.kind === 'message' && entry.guildId === undefined;
      if (isDm && entry.channelId === event.channelId) return entry;
    }
    return undefined;
  }

  function judge(entry: Entry, event: AnsweredEvent): Verdict {
    if (entry.answers.has(event.messageId)) return { kind: 'continuation' };
    if (event.nonce !== undefined && entry.nonces.has(event.nonce)) {
      return { kind: 'second_answer', entry, reason: 'the same nonce as an earlier part' };
    }
    const [first] = entry.answers.values();
    if (first === undefined) return { kind: 'answer' };
    const referenced = event.toId !== undefined && event.inferred !== true;
    if (entry.kind === 'interaction' || !referenced) return { kind: 'continuation' };
    const family = nonceFamily(first.nonce);
    if (family !== undefined && family === nonceFamily(event.nonce))
      return { kind: 'continuation' };
    return { kind: 'second_answer', entry, reason: 'another reply, not of the first one’s nonces' };
  }

  return {
    open(event) {
      if (get(event.id)) return false;
      waiting.set(event.id, {
        ...event,
        answers: new Map(),
        nonces: new Set(),
        acknowledgements: 0,
      });
      trim();
      return true;
    },
    get,
    answer(event) {
      const entry = event.toId === undefined ? entryOfUnreferenced(event) : get(event.toId);
      if (!entry) return { kind: 'unprompted' };
      const verdict = judge(entry, event);
      if (event.nonce !== undefined && entry.nonces.size < maxParts) entry.nonces.add(event.nonce);
      if (verdict.kind === 'answer') settle(entry, event);
      return verdict;
    },
    withdraw(id) {
      const entry = waiting.get(id);
      if (entry) forget(entry);
      const answered = settled.get(id);
      if (answered) answered.withdrawn = true;
    },
    retract(messageId) {
      const entry = settled.get(byAnswer.get(messageId) ?? '');
      if (!entry || entry.withdrawn) return;
      forget(entry);
      answeredCount -= 1;
      entry.answers.clear();
      entry.nonces.clear();
      waiting.set(entry.id, entry);
    },
    waiting: () => waiting.values(),
    get answeredCount() {
      return answeredCount;
    },
    get droppedCount() {
      return droppedCount;
    },
  };
}
