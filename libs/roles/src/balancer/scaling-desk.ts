import { type BalancerCore, SignalBoard, WantedWorkers } from '@starling/balance';
import type { Clock } from '@starling/clock';
import type { BalancerHeartbeat, JobId, ScalingSignal } from '@starling/contracts';
import { type GaugeName, gauge } from '@starling/telemetry';
import { fleetGaugesOf } from '../delivery/fleet-gauges.ts';
import type { BalancerConfig } from './balancer-parts.ts';
import type { QueuedWork } from './queued-work.ts';
import type { WorkerRoster } from './worker-roster.ts';

interface ScalingDeskParts {
  readonly core: Pick<BalancerCore, 'pace' | 'stateOf' | 'waiting'>;
  readonly works: ReadonlyMap<JobId, QueuedWork>;
  readonly roster: Pick<WorkerRoster, 'loads'>;
  readonly clock: Clock;
  /** Milliseconds since the Unix epoch as the core takes them. */
  readonly now: () => number;
  readonly config: BalancerConfig;
}

/** Between two looks at the fleet: a worker takes seconds to start, and a look goes over all that waits. */
const lookEveryMs = 1_000;

/** How many workers are wanted, by what this balancer sees and what its peers say that only they see. */
export class ScalingDesk {
  readonly #parts: ScalingDeskParts;
  readonly #wanted: WantedWorkers;
  readonly #peers = new SignalBoard();
  #ownWaiting = 0;
  #signal: ScalingSignal | undefined;
  /** Its first look comes when it has heard of every worker. */
  #nextAtMs: number;

  constructor(parts: ScalingDeskParts) {
    const { scalingClearMs: clearMs, scalingHoldMs: holdMs, scalingUsePercent } = parts.config;
    this.#parts = parts;
    this.#wanted = new WantedWorkers({ clearMs, holdMs, use: scalingUsePercent / 100 });
    this.#nextAtMs = parts.clock.monotonicMs() + lookEveryMs;
  }

  get signal(): ScalingSignal | undefined {
    return this.#signal;
  }

  /** What stands in a heartbeat. */
  get words(): Pick<BalancerHeartbeat, 'ownWaiting' | 'scaling'> {
    return {
      ...(this.#ownWaiting > 0 && { ownWaiting: this.#ownWaiting }),
      ...(this.#signal && { scaling: this.#signal }),
    };
  }

  /** A peer's heartbeat. */
  heard(heartbeat: BalancerHeartbeat): void {
    this.#peers.heard(heartbeat, this.#parts.clock.monotonicMs());
  }

  /** To be called several times a second. */
  look(): void {
    const { clock, core, now, roster } = this.#parts;
    const nowMs = clock.monotonicMs();
    if (nowMs < this.#nextAtMs) return;
    this.#nextAtMs = nowMs + lookEveryMs;
    this.#ownWaiting = this.#countOwn();
    const waiting = core.waiting + this.#peers.ownWaiting(nowMs);
    const load = { workers: roster.loads(), waiting, pace: core.pace(now()) };
    const signal = this.#wanted.look(load, nowMs);
    this.#signal = signal;
    for (const [name, value] of Object.entries(fleetGaugesOf(signal))) {
      gauge(name as GaugeName).record(value);
    }
  }

  /** Ephemeral jobs: each waits with one balancer, and stored ones with all of them. */
  #countOwn(): number {
    const { core, works } = this.#parts;
    if (core.waiting === 0) return 0;
    let own = 0;
    for (const { body, jobId } of works.values()) {
      if (body.kind === 'inline' && core.stateOf(jobId)?.kind === 'waiting') own += 1;
    }
    return own;
  }
}
