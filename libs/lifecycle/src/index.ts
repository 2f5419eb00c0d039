export type { Drainable } from './drainable.ts';
