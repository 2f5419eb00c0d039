import type { WorkerEvent } from './worker-events.ts';

type EndAnswer = Extract<WorkerEvent, { kind: 'end_answered' }>['answer'];

/**
 * What the ledger's answer to an end means for the slot of its job. `settled` and `fenced` give it back:
 * the end stands, or the claim is another worker's by now. `held`: nothing is known, so it is written
 * again.
 */
export type EndRule = (answer: EndAnswer) => 'settled' | 'fenced' | 'held';

export const endRule: EndRule = (answer) => {
  switch (answer) {
    case 'written':
      return 'settled';
    case 'refused':
      return 'fenced';
    case 'unknown':
      return 'held';
  }
};
