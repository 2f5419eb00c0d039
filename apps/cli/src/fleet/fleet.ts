import type { Clock } from '@starling/clock';
import type { Environment } from '@starling/config';
import type { ScalingSignal } from '@starling/contracts';
import type { PeopleDoor } from '../people-door.ts';
import type { ExchangeLog } from './exchange-log.ts';
import type { FleetPlan } from './plan.ts';

/** One thing that runs, for the start screen and `/status`. */
export interface FleetPart {
  readonly name: string;
  /** Address, size or the like. */
  readonly detail: string;
  /** Absent when it is no process of its own. */
  readonly pid?: number;
}

/** A running fleet, in one process or many. Disposing it drains it in order and ends everything it started. */
export interface RunningFleet extends AsyncDisposable {
  readonly mode: 'local' | 'embedded';
  readonly exchanges: ExchangeLog;
  /** How loaded it is and how many workers it wants; undefined while no balancer has said. */
  load(): ScalingSignal | undefined;
  /** What runs now. */
  parts(): readonly FleetPart[];
  /** The emulator's door for people; absent with the real Discord. */
  readonly door?: PeopleDoor;
  /** Where that door is. */
  readonly peopleUrl?: string;
  /** The server that has the jobs; absent when they are in the one process. */
  readonly natsUrl?: string;
  /** Where the provider emulator is; absent with a real provider. */
  readonly llmUrl?: string;
  /** Resolves with the reason when a part could not be kept alive: the fleet is to be ended. */
  readonly failed: Promise<Error>;
}

/** Called with one line for a person as the start goes on. */
export type Progress = (line: string) => void;

/** What the start of a fleet needs. */
export interface FleetOptions {
  readonly plan: FleetPlan;
  readonly environment: Environment;
  /** The project's root folder. */
  readonly root: string;
  /** Folder for logs and data. */
  readonly directory: string;
  readonly clock: Clock;
  readonly say: Progress;
  /** Gives the start up. */
  readonly signal: AbortSignal;
  /**
   * Where a part, by its name, reaches NATS; the server itself unless told. For a path between them
   * that can be disturbed.
   */
  readonly natsUrlOf?: (part: string, natsUrl: string) => Promise<string>;
}
