export { createMemoryBus } from './memory-bus.ts';
export * from './port.ts';
