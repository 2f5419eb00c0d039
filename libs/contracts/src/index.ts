export * from './contract.ts';
export * from './errors.ts';
export * from './exchange.ts';
export * from './headers.ts';
export * from './ids.ts';
export * from './job.ts';
export * from './subjects.ts';
