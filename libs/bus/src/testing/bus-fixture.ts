import { randomUUID } from 'node:crypto';
import type { Bus } from '../port.ts';

/** One bus for one test, and time. Disposing it ends every connection of it. */
export interface BusFixture extends AsyncDisposable {
  readonly bus: Bus;
  /** Another connection to the same bus; the same one where there is only one process. */
  another(): Promise<Bus>;
  /** Lets time pass: simulated time at once, real time by waiting. */
  advance(durationMs: number): Promise<void>;
}

/** Makes the fixture of one test. */
export type CreateFixture = () => Promise<BusFixture>;

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (payload: Uint8Array): string => new TextDecoder().decode(payload);

/** A subject prefix that no other test uses: real servers are shared between tests. */
export const freshName = (): string => `t${randomUUID().slice(0, 8)}`;
