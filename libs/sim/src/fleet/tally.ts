/** What can go wrong in a run, and what sets it right. Over all seeds each must have happened. */
export const faultNames = [
  'message lost',
  'message late',
  'message doubled',
  'message overtook',
  'message cut off',
  'message not sent',
  'node cut off',
  'worker paused',
  'worker killed',
  'balancer paused',
  'balancer killed',
  'child killed',
  'bus restarted',
  'store answered late',
  'store full',
  'removal undone',
  'remover killed',
  'clock set back',
  'clock set ahead',
  'worker drained',
  'balancer drained',
] as const;
export type FaultName = (typeof faultNames)[number];

export const rescueNames = [
  'job driven again',
  'claim silent, asked the ledger',
  'run unanswered, asked the ledger',
  'nobody listened',
  'stale epoch refused',
  'own end recognized',
  'grant void',
  'grant of a peer spent',
  'hint void',
  'race lost',
  'refused full',
  'publish refused as stored',
  'claim refused as ended',
  'feed gap filled',
  'removal found missing',
  'event replayed',
  'answer not posted twice',
  'owner woken',
  'silent answer looked up',
  'delivered by a later life',
  'attempts exhausted',
  'deadline ended by a balancer',
  'end written by a stand-in',
  'slept through',
  'answered by the call of another',
  'call went on without its caller',
  'call was gone',
  'question refused',
  'left job removed by its owner',
  'left job removed by a balancer',
  'older epoch believed',
  'drained to the last job',
  'refused by a draining worker',
  'job cancelled in line',
  'job cancelled in its run',
] as const;
export type RescueName = (typeof rescueNames)[number];

/** Counts of faults and rescues. */
export class Tally {
  readonly counts = new Map<FaultName | RescueName, number>();
  /** Streams that were opened at the provider. */
  providerCalls = 0;
  /** Questions outside the flood, and those of them that had just been asked in their guild. */
  usual = 0;
  repeated = 0;

  count(name: FaultName | RescueName, times = 1): void {
    if (times > 0) this.counts.set(name, (this.counts.get(name) ?? 0) + times);
  }

  add(other: Tally): void {
    for (const [name, times] of other.counts) this.count(name, times);
    this.providerCalls += other.providerCalls;
    this.usual += other.usual;
    this.repeated += other.repeated;
  }

  of(name: FaultName | RescueName): number {
    return this.counts.get(name) ?? 0;
  }
}
