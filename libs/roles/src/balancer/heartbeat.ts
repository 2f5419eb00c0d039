import { defaultCoreLimits, type WorkerLoad } from '@starling/balance';
import type { Clock } from '@starling/clock';
import {
  type BalancerHeartbeat,
  type BalancerId,
  balancerHeartbeatContract,
  encode,
  subjects,
} from '@starling/contracts';
import type { ScalingDesk } from './scaling-desk.ts';
import type { WorkerRoster } from './worker-roster.ts';

/** Models told at most: the contract's bound. */
const maxModels = 100;
/** By then every worker that lives has reported, three times at the least. */
const settledMs = 1_000;
/** A worker that was silent for less may restart: the balancers let jobs wait for its models. */
const goneMs = defaultCoreLimits.silenceMs + defaultCoreLimits.unservedMs;

export interface HeartParts {
  readonly balancerId: BalancerId;
  readonly clock: Clock;
  readonly roster: Pick<WorkerRoster, 'loads'>;
  readonly scaling: Pick<ScalingDesk, 'words'>;
  readonly publish: (subject: string, payload: Uint8Array) => void;
}

/** A balancer's word that it lives, and what it hears of its workers' models. */
export class Heart {
  readonly #parts: HeartParts;
  readonly #epoch: number;
  readonly #startedAtMs: number;

  constructor(parts: HeartParts) {
    this.#parts = parts;
    this.#epoch = parts.clock.nowMs();
    this.#startedAtMs = parts.clock.monotonicMs();
  }

  beat({ draining }: { readonly draining: boolean }): void {
    const { balancerId, clock, publish, roster, scaling } = this.#parts;
    // Who has heard half of the workers would call the models of the others unknown.
    const settled = clock.monotonicMs() - this.#startedAtMs >= settledMs;
    const heartbeat = encode(balancerHeartbeatContract, {
      ...{ balancerId, epoch: this.#epoch, draining },
      ...(settled && modelsOf(roster.loads())),
      ...scaling.words,
    });
    publish(subjects.balancerHeartbeat, heartbeat);
  }
}

/** What workers serve that live or are about to come back, if all of them told; else what some told. */
function modelsOf(
  workers: Iterable<WorkerLoad>,
): Pick<BalancerHeartbeat, 'models' | 'someModels'> | undefined {
  const names = new Set<string>();
  let silent = 0;
  let told = 0;
  for (const { models, state } of workers) {
    if (state.kind === 'dead' && state.silentMs >= goneMs) continue;
    if (!models) silent += 1;
    else if (state.kind !== 'dead') told += 1;
    for (const name of models?.served ?? []) names.add(name);
  }
  if (told === 0) return undefined;
  const first = [...names].slice(0, maxModels);
  // A list that had to be cut names not all that may be asked for.
  return silent === 0 && names.size <= maxModels ? { models: first } : { someModels: first };
}
