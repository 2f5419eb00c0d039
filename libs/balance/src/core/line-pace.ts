/** How fast the line of waiting jobs moves. */
export interface LinePace {
  /** How long a job that comes last waits. */
  readonly waitMs: number | undefined;
  /** Jobs that come for each that starts. */
  readonly growth: number | undefined;
}
