import type { ScalingReason, ScalingSignal } from '@starling/contracts';

const because: Readonly<Record<ScalingReason, string>> = {
  backlog: 'jobs wait for longer than they should',
  load: 'too few slots are spare',
  no_worker: 'none serves',
  steady: 'as many as there are',
  provider: 'the provider answers late, more workers would not help',
  idle: 'fewer would do',
  held: 'fewer would do, but not for long enough yet',
};

/** How loaded the fleet is, in a line. */
export function loadLine(load: ScalingSignal): string {
  const { inFlight, reason, slots, waiting, waitMs, wantedWorkers, workers } = load;
  const wait =
    waiting > 0 && waitMs !== undefined
      ? ` (the last for about ${Math.ceil(waitMs / 1_000)} s)`
      : '';
  return [
    `${inFlight} of ${slots} slots of ${plural(workers, 'worker')} in use`,
    `${plural(waiting, 'job')} waiting${wait}`,
    `${plural(wantedWorkers, 'worker')} wanted: ${because[reason]}`,
  ].join(', ');
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
