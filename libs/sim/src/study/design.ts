import type { StudyJob, World } from './world.ts';

/** One way to bring jobs to slots, under study. */
export interface Design {
  submit(job: StudyJob): void;
  /** One balancer dies without a word. */
  crash(): void;
}

/** Builds a design on a world. */
export type DesignFactory = (world: World) => Design;
