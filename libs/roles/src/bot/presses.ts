/**
 * People use buttons: the Stop of an answer, or something that is not ours any more. Whoever presses
 * is answered at once, also when the answer was opened by a process before this one: what is to be
 * stopped, and who may, stand in the button itself.
 */
import { BusError } from '@starling/bus';
import type { JobId } from '@starling/contracts';
import {
  decodeInteraction,
  type InteractionCreate,
  SendError,
  type StopTarget,
  stopTargetOf,
} from '@starling/discord';
import { type CancelParts, cancelJob } from '@starling/jobs';
import {
  attributeNames,
  counter,
  type Logger,
  type RoleTelemetry,
  SpanKind,
} from '@starling/telemetry';
import type { AnswerBook } from './answer-book.ts';
import type { BotParts } from './bot-parts.ts';
import { correlationIdFor } from './correlation.ts';
import { type PressWord, pressText } from './press-words.ts';
import type { Quarantine } from './quarantine.ts';

export interface PressParts
  extends Pick<BotParts, 'bus' | 'clock' | 'interactions' | 'jobs' | 'random'> {
  readonly book: AnswerBook;
  readonly logger: Logger;
  readonly telemetry: RoleTelemetry;
  readonly quarantine: Quarantine;
  /** Tells the fleet that its user wants no more of a job. */
  readonly cancel: (jobId: JobId) => void;
}

/**
 * What came of it. `stopped`: the message says so. `stopping`: an answer of an earlier process, whose
 * end is on its way. `ending`: something else is ending it right now.
 */
type Outcome = 'stopped' | 'stopping' | 'ending' | PressWord;

/** Stops that are seen through at once; of one beyond it the fleet is told, and that is all. */
const maxStops = 100;
/** Discord may be away for a moment; after three seconds an answer is too late. */
const maxTries = 3;
const retryMs = 250;

const used = counter('starling.bot.interactions');

export class Presses {
  readonly #parts: PressParts;
  #stops = 0;

  constructor(parts: PressParts) {
    this.#parts = parts;
  }

  /** Handles one INTERACTION_CREATE; resolves when whoever acted was answered. */
  async take(data: unknown): Promise<void> {
    const { book, logger, quarantine, telemetry } = this.#parts;
    const press = decodeInteraction(data);
    if (!press) {
      quarantine('gateway', { kind: 'invalid' });
      return;
    }
    const target = press.use.kind === 'press' ? stopTargetOf(press.use.customId) : undefined;
    const known = target && (book.answer(target.jobId) ?? book.past(target.jobId));
    await telemetry.withSpan(
      'press',
      {
        kind: SpanKind.CONSUMER,
        // A new trace only where the message's own is not known here.
        ...(known ? { parent: known.question.context } : { root: true }),
        ...(target && { attributes: { [attributeNames.jobId]: target.jobId } }),
      },
      async (span) => {
        const outcome = target ? await this.#stop(press, target) : await this.#unknown(press);
        span.setAttribute(attributeNames.pressOutcome, outcome);
        used.add(1, { outcome });
        logger.info('press.taken', { outcome, userId: press.userId, jobId: target?.jobId });
      },
    );
  }

  async #unknown(press: InteractionCreate): Promise<Outcome> {
    const { interactions } = this.#parts;
    if (press.use.kind === 'autocomplete') {
      await this.#answered(() => interactions.suggestNothing(press));
    } else {
      await this.#answered(() => interactions.reply(press, this.#words('unknown')));
    }
    return 'unknown';
  }

  async #stop(press: InteractionCreate, { asker, jobId }: StopTarget): Promise<Outcome> {
    const { book, cancel, interactions } = this.#parts;
    if (press.userId !== asker && !press.managesMessages) {
      await this.#answered(() => interactions.reply(press, this.#words('not_allowed')));
      return 'not_allowed';
    }
    const acknowledged = this.#answered(() => interactions.acknowledge(press));
    const open = book.answer(jobId);
    if (open?.isKnown) {
      const stopped = open.stop();
      if (stopped) cancel(jobId);
      await Promise.all([acknowledged, stopped && this.#seeThrough(jobId)]);
      return stopped ? 'stopped' : 'ending';
    }
    const outcome = book.past(jobId)?.settled ? 'ended' : await this.#seeThrough(jobId);
    if ((await acknowledged) && outcome !== 'stopping') {
      const say = () => interactions.followUp(press, this.#words(outcome));
      await Promise.all([
        this.#answered(say),
        outcome === 'ended' && this.#answered(() => interactions.clearButtons(press)),
      ]);
    }
    return outcome;
  }

  /** Cancels a job, whoever has it, and waits until its end stands in the ledger. Never rejects. */
  async #seeThrough(jobId: JobId): Promise<'stopping' | 'ended' | 'unsure'> {
    const { bus, cancel, clock, jobs, logger } = this.#parts;
    if (this.#stops >= maxStops) {
      cancel(jobId);
      return 'stopping';
    }
    this.#stops += 1;
    try {
      const parts: CancelParts = { ...jobs, clock, messaging: bus.messaging, reason: 'user' };
      const cancelled = await cancelJob(parts, jobId);
      return cancelled.kind === 'cancelled' ? 'stopping' : 'ended';
    } catch (error) {
      logger.warn('stop.unsure', { jobId, error, away: error instanceof BusError });
      return 'unsure';
    } finally {
      this.#stops -= 1;
    }
  }

  #words(word: PressWord): string {
    return pressText(word, correlationIdFor(this.#parts.random));
  }

  /** Answers an interaction, again while Discord is away. False when it was not to be. Never rejects. */
  async #answered(call: () => Promise<void>): Promise<boolean> {
    const { clock, logger } = this.#parts;
    for (let tries = 1; ; tries += 1) {
      try {
        await call();
        return true;
      } catch (error) {
        const again = error instanceof SendError && error.fault === 'unavailable';
        if (!again || tries >= maxTries) {
          logger.info('press.unanswered', { error });
          return false;
        }
      }
      await clock.sleep(retryMs);
    }
  }
}
