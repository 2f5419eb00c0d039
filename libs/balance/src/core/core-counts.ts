/** How often a balancer's core was wrong or had to step in: for metrics, and for the simulation's rescue list. */
export class CoreCounts {
  /** A silent claim was replaced by a new attempt. */
  redriven = 0;
  /** The ledger was asked because no report listed a job. */
  silent = 0;
  /** The ledger was asked because a worker did not answer. */
  unanswered = 0;
  /** The ledger was asked because a job was said to be taken from its worker. */
  released = 0;
  /** The ledger was asked because a job that is said to have ended stays stored. */
  doubted = 0;
  /** A worker's grants were too old to spend while work waited. */
  grantsVoid = 0;
  /** A grant that lay with a peer was spent in its place. */
  borrowed = 0;
  /** A peer's word that it took a job was not followed by a report. */
  hintsVoid = 0;
  /** Somebody else held the claim. */
  racesLost = 0;
  refusedFull = 0;
  refusedDraining = 0;
  /** Nobody listened on the worker's subject. */
  absent = 0;
  /** A job was given up after its last attempt. */
  exhausted = 0;
  /** A job was ended in its home's place. */
  stoodIn = 0;
  /** A job was sent to share a call. */
  followed = 0;
  /** The call that a job was to share was not there. */
  callsGone = 0;
  /** This process did nothing for a while. */
  slept = 0;
}
