import type { ScalingSignal } from '@starling/contracts';
import type { GaugeName } from '@starling/telemetry';

/** A fleet's load by the names of its gauges. */
export function fleetGaugesOf(
  signal: ScalingSignal,
): Readonly<Record<Extract<GaugeName, `starling.fleet.${string}`>, number>> {
  return {
    'starling.fleet.workers': signal.workers,
    'starling.fleet.slots': signal.slots,
    'starling.fleet.in_flight': signal.inFlight,
    'starling.fleet.waiting': signal.waiting,
    'starling.fleet.wanted_slots': signal.wantedSlots,
    'starling.fleet.wanted_workers': signal.wantedWorkers,
  };
}
