import { decode, outlookContract } from '@starling/contracts';
import type { AnswerBook } from './answer-book.ts';
import { LineTurns } from './line-turns.ts';
import type { Quarantine } from './quarantine.ts';

export interface OutlooksParts {
  readonly book: AnswerBook;
  readonly quarantine: Quarantine;
}

/** Balancers tell where our waiting jobs stand: that is shown in the place of their answers. */
export class Outlooks {
  readonly #parts: OutlooksParts;
  readonly #turns: LineTurns;

  constructor(parts: OutlooksParts) {
    this.#parts = parts;
    this.#turns = new LineTurns(parts.book);
  }

  /** A message of a balancer. */
  hear(payload: Uint8Array): void {
    const { book, quarantine } = this.#parts;
    const decoded = decode(outlookContract, payload);
    if (!decoded.ok) {
      quarantine('outlook', decoded.fault);
      return;
    }
    for (const outlook of decoded.value.jobs) {
      const answer = book.answer(outlook.jobId);
      if (!answer) continue;
      answer.onOutlook(outlook);
      this.#turns.take(answer);
    }
  }
}
