/**
 * The contract of the bus as a suite for vitest. An adapter keeps the port when it passes; a part
 * that is tested on the in-memory adapter may rely on NATS for all of it.
 */
import { describe } from 'vitest';
import type { BusFixture } from './testing/bus-fixture.ts';
import { jobStoreContract } from './testing/job-store-contract.ts';
import { keyValueContract } from './testing/key-value-contract.ts';
import { messagingBoundsContract } from './testing/messaging-bounds-contract.ts';
import { messagingContract } from './testing/messaging-contract.ts';

export type { BusFixture } from './testing/bus-fixture.ts';

/**
 * Registers the suite.
 * @param create makes a fixture for each test
 */
export function busContract(name: string, create: () => Promise<BusFixture>): void {
  describe(`${name} keeps the bus contract`, () => {
    describe('messaging', () => messagingContract(create));
    describe('messaging at its bounds', () => messagingBoundsContract(create));
    describe('job store', () => jobStoreContract(create));
    describe('key value', () => keyValueContract(create));
  });
}
