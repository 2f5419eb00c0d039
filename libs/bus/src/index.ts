export { createMemoryBus } from './memory-bus.ts';
export { connectNats, type NatsOptions } from './nats-bus.ts';
export * from './port.ts';
export * from './store-port.ts';
