/** An event as a session has it. `body` is the JSON of `d`; a function makes it anew at each sending. */
export interface LoggedEvent {
  readonly seq: number;
  readonly name: string;
  readonly body: string | (() => string);
  /** Set for an interaction: the record wants to know when it was delivered. */
  readonly interactionId?: string;
}

/** A session's last events, in order, oldest dropped at the bound. */
export interface ReplayBuffer {
  append(event: Omit<LoggedEvent, 'seq'>): LoggedEvent;
  /** Sequence number of the newest event; 0 before the first. */
  readonly lastSeq: number;
  /** Whether everything after `seq` is still there, so that a client that has `seq` misses nothing. */
  holdsAllAfter(seq: number): boolean;
  get(seq: number): LoggedEvent | undefined;
}

/** A ring in all but name: slots by sequence number modulo the capacity, which is asked once. */
export function createReplayBuffer(capacity: number): ReplayBuffer {
  const slots: LoggedEvent[] = [];
  let lastSeq = 0;
  return {
    append(event) {
      lastSeq += 1;
      const logged = { ...event, seq: lastSeq };
      slots[lastSeq % capacity] = logged;
      return logged;
    },
    get lastSeq() {
      return lastSeq;
    },
    holdsAllAfter: (seq) => seq >= lastSeq - capacity && seq <= lastSeq,
    get(seq) {
      const event = slots[seq % capacity];
      return event?.seq === seq ? event : undefined;
    },
  };
}
