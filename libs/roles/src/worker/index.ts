export {
  startWorker,
  type Worker,
  type WorkerConfig,
  type WorkerParts,
  type WorkerSnapshot,
} from './start-worker.ts';
