/** What keeping a cluster alive needs of its process. */

export interface ClusterExit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** One run of a cluster's process. */
export interface ClusterProcess {
  readonly pid: number | undefined;
  /** Resolves when it serves; rejects when it ended first or took too long. */
  readonly ready: Promise<void>;
  /** Resolves when it is gone; never rejects. */
  readonly exited: Promise<ClusterExit>;
  /** Resolves when it answered that it lives; rejects when it did not in time. */
  ping(timeoutMs: number): Promise<void>;
  signal(signal: 'SIGTERM' | 'SIGKILL'): void;
}

/** Starts the process of one cluster. It is never called again before the last run is gone. */
export type LaunchCluster = (options: { readonly readyTimeoutMs: number }) => ClusterProcess;
