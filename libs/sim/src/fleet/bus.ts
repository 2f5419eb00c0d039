/**
 * The bus with its faults as data: every message goes from a process to the server and on. A message is
 * lost when either side is cut off or the server is down, and sometimes for no reason at all; it may
 * come late, twice or out of order.
 */
import type { Simulation } from '../kernel/simulation.ts';
import type { Node } from './node.ts';
import type { Tally } from './tally.ts';

/** What the network does to messages now; shares are probabilities for one message. */
export interface Weather {
  readonly lossShare: number;
  readonly duplicateShare: number;
  readonly lateShare: number;
  readonly lateMs: number;
  /** Messages overtake each other. */
  readonly reordering: boolean;
}

export const calm: Weather = {
  lossShare: 0,
  duplicateShare: 0,
  lateShare: 0,
  lateMs: 0,
  reordering: false,
};

const hopMs = { least: 0.2, spread: 1.5 };
/** A client notices that its connection broke after this long at most. */
const noticeMs = 500;

/** A request that waits for longer was asked of a server with too much to do. */
const slowMs = 250;

/** What a node learns of its connection. */
export interface ConnectionEvents {
  disconnected(): void;
  connected(): void;
}

interface Link {
  readonly node: Node;
  readonly events: ConnectionEvents;
  cut: boolean;
  /** Since when the link works. */
  upSinceMs: number;
  lastArrivalMs: number;
}

/** See the module's header. */
export class Bus {
  weather: Weather = calm;
  /** What the server takes for each request, one after the other, milliseconds. */
  serviceMs = 0;
  readonly #simulation: Simulation;
  readonly #tally: Tally;
  readonly #links = new Map<Node, Link>();
  /** Requests that the server has not answered, oldest first. */
  #queue: { readonly work: () => void; readonly sinceMs: number }[] = [];
  #down = false;

  constructor(simulation: Simulation, tally: Tally) {
    this.#simulation = simulation;
    this.#tally = tally;
  }

  attach(node: Node, events: ConnectionEvents): void {
    this.#links.set(node, { node, events, cut: false, upSinceMs: 0, lastArrivalMs: 0 });
  }

  /** How long the node has been reachable, milliseconds; 0 when it is not. */
  reachableMs(node: Node): number {
    const link = this.#links.get(node);
    return link && !link.cut && !this.#down ? this.#simulation.nowMs - link.upSinceMs : 0;
  }

  isUp(node: Node): boolean {
    return !this.#down && this.#links.get(node)?.cut === false;
  }

  cut(node: Node): void {
    const link = this.#links.get(node);
    if (!link || link.cut) return;
    link.cut = true;
    this.#notice(link);
  }

  heal(node: Node): void {
    const link = this.#links.get(node);
    if (!link?.cut) return;
    link.cut = false;
    if (!this.#down) this.#rejoin(link);
  }

  /** kill -9 of the server: its files stay, every connection is gone. */
  serverDies(): void {
    if (this.#down) return;
    this.#down = true;
    this.#queue = [];
    for (const link of this.#links.values()) if (!link.cut) this.#notice(link);
  }

  serverStarts(): void {
    if (!this.#down) return;
    this.#down = false;
    for (const link of this.#links.values()) if (!link.cut) this.#rejoin(link);
  }

  /** A message from one process to another. */
  send(from: Node, to: Node, deliver: () => void): void {
    if (!this.isUp(from)) {
      this.#tally.count('message not sent');
      return;
    }
    this.#fly(to, this.#copies(), deliver);
  }

  /** A message to everyone that listens. */
  publish(from: Node, to: Iterable<Node>, deliver: (node: Node) => void): void {
    for (const node of to) if (node !== from) this.send(from, node, () => deliver(node));
  }

  /** A request that the server itself answers; `at` runs on the server, `answer` at the asker. */
  ask<Answer>(from: Node, at: () => Answer, answer: (value: Answer) => void): void {
    if (!this.isUp(from)) return;
    const copies = this.#copies();
    for (const delayMs of copies) {
      this.#simulation.after(delayMs, () => {
        this.#serve(() => {
          const value = at();
          this.#fly(from, this.#copies(), () => answer(value));
        });
      });
    }
  }

  /** A message of the server's own, for example of a stream's consumer. */
  tell(to: Node, deliver: () => void): void {
    if (!this.#down) this.#fly(to, this.#copies(), deliver);
  }

  /** The server does one thing after the other; what waits when it dies is gone. */
  #serve(work: () => void): void {
    if (this.#down) return;
    if (this.serviceMs === 0 && this.#queue.length === 0) {
      work();
      return;
    }
    this.#queue.push({ work, sinceMs: this.#simulation.nowMs });
    if (this.#queue.length === 1) this.#serveNext();
  }

  #serveNext(): void {
    const [first] = this.#queue;
    if (!first) return;
    this.#simulation.after(this.serviceMs, () => {
      // Another server's queue.
      if (this.#queue[0] !== first) return;
      this.#queue.shift();
      if (this.#simulation.nowMs - first.sinceMs > slowMs) this.#tally.count('store answered late');
      first.work();
      this.#serveNext();
    });
  }

  #fly(to: Node, delays: readonly number[], deliver: () => void): void {
    const link = this.#links.get(to);
    if (!link) return;
    const { life } = to;
    for (const delayMs of delays) {
      let atMs = this.#simulation.nowMs + delayMs;
      if (!this.weather.reordering) atMs = Math.max(atMs, link.lastArrivalMs);
      else if (atMs < link.lastArrivalMs) this.#tally.count('message overtook');
      link.lastArrivalMs = Math.max(atMs, link.lastArrivalMs);
      this.#simulation.after(atMs - this.#simulation.nowMs, () => {
        if (this.#down || link.cut || to.life !== life) this.#tally.count('message cut off');
        else to.do(deliver);
      });
    }
  }

  /** Delays of the copies that arrive: none, one or two. */
  #copies(): readonly number[] {
    const { random } = this.#simulation;
    const { lossShare, duplicateShare, lateShare, lateMs } = this.weather;
    const delay = () => {
      const base = hopMs.least + random.next() * hopMs.spread;
      if (lateShare === 0 || random.next() >= lateShare) return base;
      this.#tally.count('message late');
      return base + random.next() * lateMs;
    };
    if (lossShare > 0 && random.next() < lossShare) {
      this.#tally.count('message lost');
      return [];
    }
    if (duplicateShare > 0 && random.next() < duplicateShare) {
      this.#tally.count('message doubled');
      return [delay(), delay()];
    }
    return [delay()];
  }

  #notice(link: Link): void {
    const { node } = link;
    node.after(this.#simulation.random.next() * noticeMs, () => {
      if (!this.isUp(node)) link.events.disconnected();
    });
  }

  #rejoin(link: Link): void {
    link.upSinceMs = this.#simulation.nowMs;
    link.node.after(this.#simulation.random.next() * noticeMs, () => {
      if (this.isUp(link.node)) link.events.connected();
    });
  }
}
