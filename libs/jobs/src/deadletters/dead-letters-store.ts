import type { JobStoreSpec } from '@starling/bus';
import { subjects } from '@starling/contracts';

/** Where dead letters are kept until an operator replays or drops them. */
export const deadLettersStore: JobStoreSpec = {
  name: 'DEADLETTERS',
  subjects: [subjects.allDeadLetters],
  /** 256 KiB each at most; more failures than an operator looks through one by one. */
  maxMessages: 1_000,
  /** A week: an operator comes back from a holiday, and nobody waits for an answer any longer. */
  maxAgeMs: 604_800_000,
  /** Several balancers may give up one job within seconds; what was dropped must not come back by that. */
  dedupeWindowMs: 300_000,
};
