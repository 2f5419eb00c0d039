/**
 * People who change their mind: some of them press the Stop button below an answer that streams, some
 * delete their question. Begun with the first text that they see, so that a model's stream is open.
 */
import type { Clock } from '@starling/clock';
import { verdictOf } from './answer-verdict.ts';
import type { Answer, DiscordSide } from './discord-side.ts';
import type { SaidMessage } from './message-load.ts';

/** How a question is taken back. */
export type InterruptionKind = 'stop' | 'delete';

/** One that was taken back. */
export interface Interruption {
  readonly kind: InterruptionKind;
  /** When, milliseconds since the load began; of a Stop that was pressed again, the last time. */
  readonly atMs: number;
}

/** LLM tokens of an answer that is taken back: some four seconds of a stream. */
const tokens = 300;
const lookEveryMs = 100;
/** A first text that takes longer is not waited for. */
const patienceMs = 20_000;
/** A button that shows no effect is pressed again, as people do: its cluster may have died. */
const pressEveryMs = 3_000;
const maxPresses = 6;
/** People at it at once, who see their text within a second or two; beyond it a question is left alone. */
const maxAtOnce = 100;

/** One message in twenty is stopped, one in twenty deleted; direct ones (each tenth) are left alone. */
export function interruptionOf(n: number): InterruptionKind | undefined {
  if (n % 20 === 4) return 'stop';
  return n % 20 === 14 ? 'delete' : undefined;
}

/** What such a question asks of the emulated provider. */
export const longAnswer = `[[tokens:${tokens}]]`;

export class Interruptions {
  /** By the id of the question. */
  readonly done = new Map<string, Interruption>();
  readonly #clock: Clock;
  readonly #discord: Pick<DiscordSide, 'answer' | 'delete' | 'press'>;
  readonly #elapsedMs: () => number;
  readonly #running = new Set<Promise<void>>();

  constructor(parts: {
    readonly clock: Clock;
    readonly discord: Pick<DiscordSide, 'answer' | 'delete' | 'press'>;
    /** Milliseconds since the load began. */
    readonly elapsedMs: () => number;
  }) {
    this.#clock = parts.clock;
    this.#discord = parts.discord;
    this.#elapsedMs = parts.elapsedMs;
  }

  /** Takes a question back as soon as its answer shows. */
  begin(kind: InterruptionKind, message: Pick<SaidMessage, 'id' | 'userId'>): void {
    if (this.#running.size >= maxAtOnce) return;
    const running = (kind === 'stop' ? this.#stop(message) : this.#delete(message.id))
      // A door that fails now is the run's trouble elsewhere; the person gives up.
      .catch(() => {})
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Resolves when everybody is done. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  async #delete(id: string): Promise<void> {
    if (!(await this.#firstText(id))) return;
    this.done.set(id, { kind: 'delete', atMs: this.#elapsedMs() });
    await this.#discord.delete(id);
  }

  async #stop({ id, userId }: Pick<SaidMessage, 'id' | 'userId'>): Promise<void> {
    let seen = await this.#firstText(id);
    for (let press = 0; seen && press < maxPresses; press += 1) {
      const button = buttonOf(seen);
      if (button) {
        this.done.set(id, { kind: 'stop', atMs: this.#elapsedMs() });
        // Too late for an answer that has just ended: its button is gone.
        await this.#discord.press({ ...button, userId }).catch(() => {});
        await this.#clock.sleep(pressEveryMs);
      } else await this.#clock.sleep(lookEveryMs);
      seen = await this.#discord.answer(id);
      if (verdictOf(seen.text) !== 'halfway') return;
    }
  }

  /** An answer that streams; undefined when there was none in time. */
  async #firstText(id: string): Promise<Answer | undefined> {
    const giveUpAtMs = this.#clock.monotonicMs() + patienceMs;
    while (this.#clock.monotonicMs() < giveUpAtMs) {
      await this.#clock.sleep(lookEveryMs);
      const seen = await this.#discord.answer(id);
      // A place in line is no text of the answer.
      const verdict = seen.answered ? verdictOf(seen.text) : 'none';
      if (verdict === 'halfway') return seen;
      if (verdict !== 'none') return undefined;
    }
    return undefined;
  }
}

function buttonOf({ messages }: Answer) {
  for (const { components, id: messageId } of messages) {
    const buttons = components.flatMap((row) => row.components);
    const stop = buttons.find(({ custom_id: customId = '' }) => customId.startsWith('stop:'));
    if (stop?.custom_id !== undefined) return { messageId, customId: stop.custom_id };
  }
  return undefined;
}
