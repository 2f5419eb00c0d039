/**
 * Which message or interaction a bot's message answers, for those who wait for the answer. A
 * reference says it outright; what follows without one is recognised by the chain (a reply to a part
 * of the answer), by its nonce's family (as the record defines it), or by the thread that was started
 * from the question. In a direct message it otherwise answers the oldest message that has no answer,
 * or continues the last answer.
 */
import { nonceFamily } from '../../record/owed.ts';
import { BoundedMap } from './bounded-map.ts';

/** What is known of a bot's message when it is posted. */
export interface AnswerClues {
  readonly messageId: string;
  readonly channelId: string;
  readonly isDm: boolean;
  /** The message that it refers to, also when that one is gone. */
  readonly referenceId?: string | undefined;
  readonly interactionId?: string | undefined;
  readonly nonce?: string | undefined;
}

/** Questions of one direct-message channel that are remembered as open; the oldest goes. */
const maxOpenInDm = 50;

interface DmState {
  readonly open: string[];
  lastAnswered?: string;
}

export class AnswerLinks {
  /** Answering message → what it answers. */
  readonly #roots: BoundedMap<string, string>;
  /** Channel and nonce family → what the message with it answered. */
  readonly #families: BoundedMap<string, string>;
  /** Ids of people's messages. */
  readonly #questions: BoundedMap<string, true>;
  readonly #dms: BoundedMap<string, DmState>;

  constructor(bound: () => number) {
    this.#roots = new BoundedMap(bound);
    this.#families = new BoundedMap(bound);
    this.#questions = new BoundedMap(bound);
    this.#dms = new BoundedMap(bound);
  }

  /** A person's message: something that can be answered. */
  ask(question: { readonly id: string; readonly channelId: string; readonly isDm: boolean }): void {
    this.#questions.set(question.id, true);
    if (!question.isDm) return;
    const { open } = this.#dm(question.channelId);
    open.push(question.id);
    if (open.length > maxOpenInDm) open.shift();
  }

  /** What a posted message answers, remembered for the parts that follow it. */
  link(clues: AnswerClues): string | undefined {
    const root = this.#find(clues);
    if (root === undefined) return undefined;
    this.#roots.set(clues.messageId, root);
    const family = familyKey(clues);
    if (family !== undefined && !this.#families.get(family)) this.#families.set(family, root);
    if (clues.isDm) {
      const dm = this.#dm(clues.channelId);
      const place = dm.open.indexOf(root);
      if (place >= 0) dm.open.splice(place, 1);
      dm.lastAnswered = root;
    }
    return root;
  }

  /** What a message answers. */
  rootOf(messageId: string): string | undefined {
    return this.#roots.get(messageId);
  }

  #find(clues: AnswerClues): string | undefined {
    const { interactionId, referenceId, channelId } = clues;
    if (interactionId !== undefined) return interactionId;
    if (referenceId !== undefined) return this.#roots.get(referenceId) ?? referenceId;
    const family = familyKey(clues);
    const byNonce = family === undefined ? undefined : this.#families.get(family);
    if (byNonce !== undefined) return byNonce;
    // A thread started from a message has that message's id.
    if (this.#questions.get(channelId)) return channelId;
    if (!clues.isDm) return undefined;
    const dm = this.#dm(channelId);
    return dm.open[0] ?? dm.lastAnswered;
  }

  #dm(channelId: string): DmState {
    const known = this.#dms.get(channelId);
    if (known) return known;
    const fresh: DmState = { open: [] };
    this.#dms.set(channelId, fresh);
    return fresh;
  }
}

function familyKey({ nonce, channelId }: AnswerClues): string | undefined {
  const family = nonceFamily(nonce);
  return family === undefined ? undefined : `${channelId} ${family}`;
}
