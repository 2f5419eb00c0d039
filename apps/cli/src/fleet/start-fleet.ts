import { HarnessError, installCommand, locateServers } from '@starling/harness';
import { startEmbeddedFleet } from './embedded-fleet.ts';
import type { FleetOptions, RunningFleet } from './fleet.ts';
import { startLocalFleet } from './local-fleet.ts';

/** A started fleet with what a person should know of how it came up. */
export interface StartedFleet {
  readonly fleet: RunningFleet;
  readonly notes: readonly string[];
}

/** What the embedded mode leaves out, said at its every start. */
const embeddedNotes = [
  'embedded: one process, no NATS, no Redis. A crash loses what was waiting and the conversations.',
];

/**
 * Starts the fleet in the mode asked for. `auto` is local where `nats-server` and `redis-server` are
 * found or can be fetched, else embedded, with the command that installs them in a note.
 * @throws {HarnessError} `not_found` when local was asked for by name
 */
export async function startFleet(
  mode: 'auto' | 'local' | 'embedded',
  options: FleetOptions,
): Promise<StartedFleet> {
  if (mode === 'embedded') {
    return { fleet: await startEmbeddedFleet(options), notes: embeddedNotes };
  }
  try {
    const servers = await locateServers({ clock: options.clock, onProgress: options.say });
    return { fleet: await startLocalFleet({ ...options, servers }), notes: [] };
  } catch (error) {
    const missing = error instanceof HarnessError && error.code === 'not_found';
    if (mode === 'local' || !missing) throw error;
    options.say(error.message);
    return {
      fleet: await startEmbeddedFleet(options),
      notes: [...embeddedNotes, `for the real thing: ${installCommand}`],
    };
  }
}
