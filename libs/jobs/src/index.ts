export { jobsQueue } from './jobs-queue.ts';
