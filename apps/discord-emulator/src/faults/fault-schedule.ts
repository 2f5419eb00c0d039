import type { Clock, Random } from '@starling/clock';
import type { RestFault, RestFaults, RestRoute } from '../core/ports.ts';
import {
  type FaultSpec,
  type ImmediateFault,
  isImmediate,
  type LastingFault,
} from './fault-spec.ts';

/** A fault that was switched on. */
export interface FaultState {
  readonly fault: FaultSpec;
  readonly sinceMs: number;
  /** How often it has hit. */
  readonly hits: number;
  readonly active: boolean;
}

/** A shard's place, for a fault's filter; unknown before IDENTIFY. */
export interface ShardPlace {
  readonly shardId: number;
  readonly shardCount: number;
}

/** What carries out faults of the moment: the gateway. */
export interface FaultTarget {
  /** @returns how many connections it hit */
  strike(fault: ImmediateFault | RefuseConnections): number;
}
export type RefuseConnections = Extract<LastingFault, { kind: 'refuse_connections' }>;

/** Faults as data, switched on and off while the emulator runs. */
export interface FaultSchedule extends RestFaults {
  /** Those lasting ones that are asked for one by one; spends one of its times. */
  takeGateway<K extends 'swallow_heartbeat_acks' | 'slow_ready'>(
    kind: K,
    place: ShardPlace,
  ): Extract<LastingFault, { kind: K }> | undefined;
  /** Whether `remaining` is to read 0; `spend` when an IDENTIFY was refused for it. */
  remainingIsZero(options?: { readonly spend: boolean }): boolean;
  /** Switches on beside the others. The oldest that is over is forgotten past {@link maxFaults}. */
  add(fault: FaultSpec): FaultState;
  /** Switches all off. Connections that are refused or silent already stay so until their time. */
  clear(): void;
  list(): readonly FaultState[];
  /** The gateway joins here, once, when it has been built. */
  setTarget(target: FaultTarget): void;
}

/** Faults listed at once, spent ones included. */
export const maxFaults = 256;

interface Entry {
  readonly fault: FaultSpec;
  readonly sinceMs: number;
  hits: number;
}

/** Thrown by `add` when {@link maxFaults} faults are active. */
export class TooManyFaultsError extends Error {
  override readonly name = 'TooManyFaultsError';
}

export function createFaultSchedule(parts: {
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Decides `chance`. */
  readonly random: Random;
  /** Told of each hit. */
  readonly onHit?: () => void;
}): FaultSchedule {
  let entries: Entry[] = [];
  let target: FaultTarget | undefined;

  const isActive = ({ fault, sinceMs, hits }: Entry): boolean => {
    if (isImmediate(fault)) return false;
    if ('times' in fault && fault.times !== undefined && hits >= fault.times) return false;
    const forMs = fault.forMs;
    return forMs === undefined || parts.clock.nowMs() < sinceMs + forMs;
  };
  const hit = (entry: Entry, count = 1): void => {
    entry.hits += count;
    for (let told = 0; told < count; told++) parts.onHit?.();
  };
  const stateOf = (entry: Entry): FaultState => ({ ...entry, active: isActive(entry) });

  return {
    nextRestFault(route) {
      for (const entry of entries) {
        const fault = restFaultOf(entry.fault, route);
        if (!fault || !isActive(entry)) continue;
        if (fault.chance < 1 && parts.random.next() >= fault.chance) continue;
        hit(entry);
        return fault.fault;
      }
      return undefined;
    },
    takeGateway(kind, place) {
      for (const entry of entries) {
        const { fault } = entry;
        const where = 'where' in fault ? fault.where : {};
        if (!isKind(fault, kind) || !isActive(entry) || !covers(where, place)) continue;
        hit(entry);
        return fault;
      }
      return undefined;
    },
    remainingIsZero(options) {
      const entry = entries.find((one) => one.fault.kind === 'remaining_zero' && isActive(one));
      if (entry && options?.spend) hit(entry);
      return entry !== undefined;
    },
    add(fault) {
      if (entries.length >= maxFaults) {
        const over = entries.findIndex((entry) => !isActive(entry));
        if (over < 0) throw new TooManyFaultsError(`${maxFaults} faults are active: clear some`);
        entries.splice(over, 1);
      }
      const entry: Entry = { fault, sinceMs: parts.clock.nowMs(), hits: 0 };
      entries.push(entry);
      if (isImmediate(fault) || fault.kind === 'refuse_connections') {
        hit(entry, target?.strike(fault) ?? 0);
      }
      return stateOf(entry);
    },
    clear() {
      entries = [];
    },
    list: () => entries.map(stateOf),
    setTarget(next) {
      target = next;
    },
  };
}

function isKind<K extends FaultSpec['kind']>(
  fault: FaultSpec,
  kind: K,
): fault is Extract<FaultSpec, { kind: K }> {
  return fault.kind === kind;
}

/** Whether a filter covers a shard. */
export function covers(
  where: {
    readonly shards?: readonly number[] | undefined;
    readonly shardCount?: number | undefined;
  },
  place: ShardPlace | undefined,
): boolean {
  if (where.shards === undefined && where.shardCount === undefined) return true;
  if (place === undefined) return false;
  return (
    (where.shards?.includes(place.shardId) ?? true) &&
    (where.shardCount ?? place.shardCount) === place.shardCount
  );
}

function restFaultOf(
  fault: FaultSpec,
  { method, path }: RestRoute,
): { readonly fault: RestFault; readonly chance: number } | undefined {
  if (!('route' in fault)) return undefined;
  const { route, chance } = fault;
  const matches =
    (route.method ?? method) === method &&
    path.startsWith(route.path ?? '') &&
    path.endsWith(route.pathEnd ?? '');
  if (!matches) return undefined;
  switch (fault.kind) {
    case 'rate_limited': {
      const { kind, scope, retryAfterMs } = fault;
      return { chance, fault: { kind, scope, retryAfterMs } };
    }
    case 'server_error':
      return { chance, fault: { kind: fault.kind, status: fault.status, when: fault.when } };
    case 'reset':
      return { chance, fault: { kind: fault.kind, when: fault.when } };
    case 'slow':
      return { chance, fault: { kind: fault.kind, delayMs: fault.delayMs } };
    case 'html':
      return { chance, fault: { kind: fault.kind, status: fault.status } };
  }
}
