export { keyVariablesIn } from './file/parse-providers.ts';
export { BreakerBoard, type BreakerChange } from './ladder/breaker-board.ts';
export type { Rung } from './ladder/rung.ts';
export { LimitedProvider, type ProviderLimits } from './limits/limited-provider.ts';
export { isLimited } from './limits/within-limits.ts';
export { type ModelSource, ModelSourceError, modelSourceFrom } from './model-source.ts';
export type {
  CallOptions,
  CompletionRequest,
  Provider,
  Retry,
  RungCall,
  StreamPart,
} from './provider.ts';
export { type ProviderChoice, type ProviderConfig, providerChoice } from './provider-choice.ts';
export type { ProviderFault } from './provider-fault.ts';
export { providerFrom } from './provider-from.ts';
export type { ToldModels } from './told-models.ts';
