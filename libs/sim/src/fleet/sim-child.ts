/** A bot's child: accepts messages into the store, delivers ends to Discord, forgets nothing by dying. */
import type { JobId } from '@starling/contracts';
import { killRemover } from './apply-faults.ts';
import type { Cluster } from './cluster.ts';
import type { AskedMessage } from './discord.ts';
import { Node } from './node.ts';
import { tellGone } from './remove-stored.ts';

/** A try to store a job, and the pause before the next. */
const publishRetryMs = 2_100;
/** A call of the store without an answer is made again. */
const retryMs = 1_000;
/** A Discord call without an answer is made again after this long, with the same nonce. */
const postTimeoutMs = 1_000;
/** Between the store's answer and the flush of the gateway's sequence. */
const flushMs = 50;
/** An answer of which nothing was heard for so long is looked up, so many of them each time. */
const silence = { afterMs: 2_000, everyMs: 500, most: 25 } as const;
const restLatencyMs = { least: 20, spread: 60 };

/** See the module's header. */
export class SimChild {
  readonly node: Node;
  /** Share of Discord's answers that are lost on their way. */
  lostReplies = 0;
  readonly #cluster: Cluster;
  readonly #delivering = new Set<JobId>();
  readonly #acceptedHere = new Set<JobId>();
  /** Answers that are owed, and when each was looked up last. */
  readonly #open = new Map<JobId, number>();

  constructor(name: string, cluster: Cluster) {
    this.#cluster = cluster;
    this.node = new Node(name, cluster.simulation);
    cluster.bus.attach(this.node, {
      disconnected: () => {
        // Publishing retries by itself.
      },
      connected: () => this.#list(),
    });
  }

  start(): void {
    const { discord, tally } = this.#cluster;
    this.node.start();
    this.#delivering.clear();
    this.#acceptedHere.clear();
    this.#open.clear();
    for (const jobId of discord.callers()) this.#open.set(jobId, this.#cluster.simulation.nowMs);
    this.#list();
    this.node.every(silence.everyMs, () => this.#lookUpSilent());
    for (const message of discord.replay()) {
      tally.count('event replayed');
      this.take(message);
    }
  }

  stop(): void {
    this.node.die();
  }

  /** A message of the gateway; a dead child's messages are told again to the next. */
  take(message: AskedMessage): void {
    this.node.do(() => this.#publish(message));
  }

  /** The message was deleted: whoever answers it may stop. */
  cancel(jobId: JobId): void {
    const { balancers, bus, workers } = this.#cluster;
    this.node.do(() => {
      for (const worker of workers.values()) {
        const asked = { kind: 'cancel_requested', jobId } as const;
        bus.send(this.node, worker.node, () => worker.step(asked));
      }
      for (const balancer of balancers.values()) {
        bus.send(this.node, balancer.node, () => balancer.cancel(jobId));
      }
    });
  }

  #publish(message: AskedMessage): void {
    const { bus, store, balancers, discord, tally } = this.#cluster;
    const { header } = message;
    let accepted = false;
    bus.ask(
      this.node,
      () => {
        const stored = store.publish(header);
        if (typeof stored === 'string') return stored;
        for (const balancer of balancers.values()) {
          bus.tell(balancer.node, () => balancer.fed(stored));
        }
        return 'stored';
      },
      (answer) => {
        if (accepted) return;
        accepted = true;
        this.#acceptedHere.add(header.jobId);
        if (answer === 'full') {
          this.#refuse(header.jobId);
          return;
        }
        if (answer === 'duplicate') tally.count('publish refused as stored');
        this.#open.set(header.jobId, this.#cluster.simulation.nowMs);
        this.node.after(flushMs, () => discord.confirm(header.jobId));
      },
    );
    this.node.after(publishRetryMs, () => {
      if (!accepted && !this.#acceptedHere.has(header.jobId)) this.#publish(message);
    });
  }

  /** There is no room for it: its user is told so, under the nonce of its answer. */
  #refuse(jobId: JobId): void {
    const { checker, discord, tally } = this.#cluster;
    tally.count('store full');
    checker.refused(jobId);
    this.#post(jobId, () => {
      tally.count('question refused');
      this.node.after(flushMs, () => discord.confirm(jobId));
    });
  }

  /** Looks at what is stored: an earlier life, or a lost frame, left it. */
  #list(): void {
    const { bus, simulation, store } = this.#cluster;
    let answered = false;
    bus.ask(
      this.node,
      () => [...store.jobs.keys()],
      (jobs) => {
        answered = true;
        for (const jobId of jobs) {
          if (!this.#open.has(jobId)) this.#open.set(jobId, simulation.nowMs);
          this.deliver(jobId);
        }
      },
    );
    this.node.after(retryMs, () => {
      if (!answered) this.#list();
    });
  }

  /** Last frames are sent once. */
  #lookUpSilent(): void {
    const { nowMs } = this.#cluster.simulation;
    let looks = 0;
    for (const [jobId, lookedAtMs] of this.#open) {
      if (looks >= silence.most) return;
      if (nowMs - lookedAtMs < silence.afterMs) continue;
      looks += 1;
      // Behind those that were not looked up yet.
      this.#open.delete(jobId);
      this.#open.set(jobId, nowMs);
      this.#cluster.tally.count('silent answer looked up');
      this.deliver(jobId);
    }
  }

  /** Somebody says that the job ended: if the ledger agrees, its answer is shown and the job deleted. */
  deliver(jobId: JobId): void {
    if (this.#delivering.has(jobId)) return;
    this.#delivering.add(jobId);
    this.#read(jobId);
  }

  #read(jobId: JobId): void {
    const { bus, discord, store, tally } = this.#cluster;
    let answered = false;
    bus.ask(
      this.node,
      () => ({ ended: store.read(jobId)?.record.kind === 'end', posted: store.isPosted(jobId) }),
      ({ ended, posted }) => {
        if (answered) return;
        answered = true;
        const collected = discord.messageOf(jobId)?.collected;
        if (!ended) this.#delivering.delete(jobId);
        else if (collected) this.#collect(jobId);
        else if (posted) {
          tally.count('answer not posted twice');
          this.#delete(jobId, 'left');
        } else {
          this.#post(jobId, () => {
            if (!this.#acceptedHere.has(jobId)) tally.count('delivered by a later life');
            this.#record(jobId);
          });
        }
      },
    );
    this.node.after(retryMs, () => {
      if (!answered) this.#read(jobId);
    });
  }

  /** Its caller is given the end; whoever wrote that removes it. */
  #collect(jobId: JobId): void {
    const { checker, discord } = this.#cluster;
    this.#delivering.delete(jobId);
    this.#open.delete(jobId);
    if (discord.post(jobId)) checker.shown(jobId);
  }

  #post(jobId: JobId, posted: () => void): void {
    const { discord, simulation, tally, checker } = this.#cluster;
    const { random } = simulation;
    const latency = () => restLatencyMs.least + random.next() * restLatencyMs.spread;
    let answered = false;
    const { life } = this.node;
    simulation.after(latency(), () => {
      if (discord.post(jobId)) checker.shown(jobId);
      else tally.count('answer not posted twice');
      if (this.node.life === life && random.next() < this.lostReplies) return;
      this.node.after(latency(), () => {
        if (answered) return;
        answered = true;
        posted();
      });
    });
    this.node.after(postTimeoutMs, () => {
      if (!answered) this.#post(jobId, posted);
    });
  }

  #record(jobId: JobId): void {
    const { bus, store } = this.#cluster;
    let answered = false;
    bus.ask(
      this.node,
      () => store.recordPost(jobId),
      () => {
        if (answered) return;
        answered = true;
        this.#delete(jobId);
      },
    );
    this.node.after(retryMs, () => {
      if (!answered) this.#record(jobId);
    });
  }

  #delete(jobId: JobId, whose?: 'left'): void {
    if (killRemover(this.#cluster, this)) return;
    const { bus, simulation, store, tally } = this.#cluster;
    let answered = false;
    bus.ask(
      this.node,
      () => store.delete(jobId, simulation.nowMs),
      (removed) => {
        if (answered) return;
        if (removed && whose) tally.count('left job removed by its owner');
        answered = true;
        this.#delivering.delete(jobId);
        this.#open.delete(jobId);
        tellGone(this.#cluster, this.node, jobId);
      },
    );
    this.node.after(retryMs, () => {
      if (!answered) this.#delete(jobId, whose);
    });
  }
}
