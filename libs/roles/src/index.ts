export * from './balancer/index.ts';
export * from './bot/index.ts';
export * from './worker/index.ts';
