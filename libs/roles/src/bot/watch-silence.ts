import type { Bus } from '@starling/bus';
import type { Clock } from '@starling/clock';
import type { AnswerBook } from './answer-book.ts';
import type { Deliveries } from './deliveries.ts';
import type { OpenAnswer } from './open-answer.ts';

/** An answer of which nothing was heard for this long is looked up: its last frame may be lost. */
const silentMs = 2_000;
/** Between looks; also how late a lost connection is noticed. */
const everyMs = 500;
/** Look-ups each time: a full queue is silent for good reason, and the ledger is shared. */
const maxLooks = 25;

/**
 * Looks up the ends of answers that went silent, and of every open answer when the connection came
 * back: last frames are sent once.
 */
export function watchSilence(parts: {
  readonly bus: Pick<Bus, 'state'>;
  readonly clock: Clock;
  readonly book: AnswerBook;
  readonly deliveries: Deliveries;
}): Disposable {
  const { book, bus, clock, deliveries } = parts;
  let connected = true;
  let timer: Disposable;

  const look = () => {
    timer = clock.schedule(everyMs, look);
    const before = connected;
    connected = bus.state === 'connected';
    if (!connected) return;
    const returned = !before;
    const looked: OpenAnswer[] = [];
    for (const answer of book.answers()) {
      if (!returned && looked.length >= maxLooks) break;
      const stored = answer.silentFor(returned ? 0 : silentMs);
      if (stored === undefined) continue;
      looked.push(answer);
      deliveries.look(answer.question.jobId, stored);
    }
    // Those that were not looked up are next, however many wait.
    for (const answer of looked) book.moveBack(answer);
  };
  timer = clock.schedule(everyMs, look);
  return { [Symbol.dispose]: () => timer[Symbol.dispose]() };
}
