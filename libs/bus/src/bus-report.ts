/** Where an adapter tells what it could not hand to a caller. */
export interface BusReport {
  /** A handler threw; the subscription lives on. */
  handlerFailed(subject: string, error: unknown): void;
  /** Messages left a full queue, or a drain that ran out of time, without having been handled. */
  dropped(subject: string, count: number): void;
}

export const busReport: BusReport = {
  handlerFailed(subject, error) {
    process.emitWarning(`bus: the handler of ${subject} failed: ${String(error)}`);
  },
  dropped(subject, count) {
    process.emitWarning(`bus: ${count} messages of ${subject} dropped`);
  },
};
