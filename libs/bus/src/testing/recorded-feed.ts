import type { FeedHandler, StoredMessage } from '../store-port.ts';

/** Listens to a feed and keeps what it is told: the store as the feed shows it. */
export class RecordedFeed {
  /** In short: `reading`, `+1` stored, `-1` gone, `synced`. */
  readonly told: string[] = [];
  /** What was told as stored while it was, or as gone while it was not. */
  readonly repeats: string[] = [];
  /** What is stored, by sequence. */
  readonly messages = new Map<number, StoredMessage>();
  readonly handler: FeedHandler = {
    reading: () => {
      this.told.push('reading');
    },
    stored: (message) => {
      const { sequence } = message;
      this.told.push(`+${sequence}`);
      if (this.messages.has(sequence)) this.repeats.push(`+${sequence}`);
      this.messages.set(sequence, message);
    },
    gone: ({ sequence }) => {
      this.told.push(`-${sequence}`);
      if (!this.messages.delete(sequence)) this.repeats.push(`-${sequence}`);
    },
    synced: () => {
      this.told.push('synced');
    },
  };

  /** How often it was told that it is in step. */
  get syncs(): number {
    return this.told.filter((one) => one === 'synced').length;
  }

  /** The subjects of what is stored, by sequence. */
  subjects(): readonly string[] {
    const sorted = [...this.messages.values()].sort((a, b) => a.sequence - b.sequence);
    return sorted.map(({ subject }) => subject);
  }
}
