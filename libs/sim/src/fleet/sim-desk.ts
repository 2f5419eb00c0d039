/** What a balancer asks the store about its jobs: through the product's own line, and given up after a while. */
import type {
  CoreEffect,
  JobState,
  LedgerAnswer,
  LedgerEntry,
  LedgerRead,
} from '@starling/balance';
import type { JobId } from '@starling/contracts';
import type { Line } from './broken-rules.ts';
import type { Cluster } from './cluster.ts';
import type { Node } from './node.ts';

/** What the balancer is told. */
export interface DeskEars {
  stateOf(jobId: JobId): JobState | undefined;
  read(jobId: JobId, read: LedgerRead): void;
  /** Its end was written here. */
  ended(jobId: JobId, code: EndFailed['code']): void;
  /** It is stored no more. */
  removed(jobId: JobId): void;
}

type EndFailed = Extract<CoreEffect, { kind: 'end_failed' }>;

/** Calls at once, as in the role. */
const atOnce = 50;
/** A call without an answer is over. */
const callMs = 1_000;

/** See the module's header. */
export class SimDesk {
  readonly #node: Node;
  readonly #cluster: Cluster;
  readonly #ears: DeskEars;
  readonly #underWay = new Map<JobId, number>();
  #inAll = 0;
  #line: Line;

  constructor(node: Node, cluster: Cluster, ears: DeskEars) {
    this.#node = node;
    this.#cluster = cluster;
    this.#ears = ears;
    this.#line = cluster.rules.newLine(atOnce);
  }

  get sizes() {
    return this.#line.sizes;
  }

  /** Everything is gone with the process. */
  clear(): void {
    this.#underWay.clear();
    this.#inAll = 0;
    this.#line = this.#cluster.rules.newLine(atOnce);
  }

  read(jobId: JobId): void {
    const { store } = this.#cluster;
    this.#ask(jobId, 'checking', (over) => {
      this.#call(
        jobId,
        () => store.read(jobId),
        over,
        (entry) => {
          this.#ears.read(jobId, readOf(entry));
        },
      );
    });
  }

  fail(effect: EndFailed): void {
    const { jobId } = effect;
    this.#ask(jobId, 'failing', (over) => this.#end(effect, over));
  }

  /** Ends a waiting job that nobody wants any more; the ledger decides between this and a claim. */
  cancel(jobId: JobId): void {
    const { store } = this.#cluster;
    this.#ask(jobId, 'waiting', (over) => {
      this.#call(
        jobId,
        () => store.read(jobId),
        over,
        (entry) => {
          const read = readOf(entry);
          if (read.kind === 'end') this.#ears.read(jobId, read);
          else {
            const claim = read.kind === 'none' ? undefined : read;
            const [attempt, previousRevision] = [claim?.attempt ?? 0, claim?.revision];
            const end = { jobId, code: 'cancelled', attempt, previousRevision } as const;
            this.#line.ask(jobId, {
              isWanted: () => this.#ears.stateOf(jobId)?.kind === 'waiting',
              work: (ended) => this.#end({ kind: 'end_failed', ...end }, ended),
            });
          }
        },
      );
    });
  }

  /** The end of a collected job stands: nobody needs it in the store any more. */
  remove(jobId: JobId): void {
    const { simulation, store, tally } = this.#cluster;
    this.#ask(jobId, 'ended', (over) => {
      this.#call(
        jobId,
        () => store.read(jobId)?.record.kind === 'end' && store.delete(jobId, simulation.nowMs),
        over,
        (removed) => {
          if (!removed) return;
          tally.count('left job removed by a balancer');
          this.#ears.removed(jobId);
        },
      );
    });
  }

  #end({ attempt, code, jobId, previousRevision: expected }: EndFailed, over: () => void): void {
    const { store } = this.#cluster;
    const outcome = code === 'cancelled' ? 'cancelled' : 'failed';
    const record = { kind: 'end', outcome, attempt } as const;
    this.#call(
      jobId,
      () => store.write(jobId, { expected, record }),
      over,
      (answer) => {
        if (answer.kind === 'written') this.#ears.ended(jobId, code);
        this.#ears.read(jobId, readOf(standing(answer)));
      },
    );
  }

  #ask(jobId: JobId, wantedIn: JobState['kind'], work: (over: () => void) => void): void {
    const isWanted = () => this.#ears.stateOf(jobId)?.kind === wantedIn;
    this.#line.ask(jobId, { isWanted, work });
  }

  #call<Answer>(
    jobId: JobId,
    at: () => Answer,
    over: () => void,
    answer: (value: Answer) => void,
  ): void {
    const { bus, checker } = this.#cluster;
    this.#count(jobId, 1);
    const ofJob = this.#underWay.get(jobId) ?? 0;
    checker.calling(this.#node.name, { jobId, ofJob, inAll: this.#inAll });
    let open = true;
    const { life } = this.#node;
    const end = (how?: () => void) => {
      if (!open || this.#node.life !== life) return;
      open = false;
      this.#count(jobId, -1);
      how?.();
      over();
    };
    bus.ask(this.#node, at, (value) => end(() => answer(value)));
    this.#node.after(callMs, () => end());
  }

  #count(jobId: JobId, change: number): void {
    this.#inAll += change;
    const calls = (this.#underWay.get(jobId) ?? 0) + change;
    if (calls > 0) this.#underWay.set(jobId, calls);
    else this.#underWay.delete(jobId);
  }
}

function standing(answer: LedgerAnswer): LedgerEntry | undefined {
  return answer.kind === 'written' ? answer.entry : answer.current;
}

function readOf(entry: LedgerEntry | undefined): LedgerRead {
  if (!entry) return { kind: 'none' };
  const { record, revision } = entry;
  return record.kind === 'end'
    ? { kind: 'end' }
    : { kind: record.kind, revision, attempt: record.attempt };
}
