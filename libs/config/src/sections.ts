/** Every setting of Starling, one file for each part that reads them. A new section is a new file and a line here. */

export * from './sections/admission-section.ts';
export * from './sections/balancer-section.ts';
export * from './sections/bot-section.ts';
export * from './sections/budgets-section.ts';
export * from './sections/delivery-section.ts';
export * from './sections/discord-emulator-section.ts';
export * from './sections/ingress-section.ts';
export * from './sections/instance-section.ts';
export * from './sections/llm-emulator-section.ts';
export * from './sections/local-section.ts';
export * from './sections/nats-section.ts';
export * from './sections/provider-section.ts';
export * from './sections/rates-section.ts';
export * from './sections/redis-section.ts';
export * from './sections/sharing-section.ts';
export * from './sections/telemetry-section.ts';
export * from './sections/worker-section.ts';
