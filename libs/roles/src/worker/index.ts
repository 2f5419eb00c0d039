export { startWorker } from './start-worker.ts';
export type { Worker, WorkerConfig, WorkerParts, WorkerSnapshot } from './worker-parts.ts';
