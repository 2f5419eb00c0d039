import type { Provider } from '../provider.ts';

/** What a model costs, in US dollars for a million LLM tokens. */
export interface Price {
  readonly promptPerMillion: number;
  readonly completionPerMillion: number;
}

/** One way to an answer: a model at a provider, under one of its keys. */
export interface Rung {
  /** Of the same provider, key and model in every process of the fleet, and in a new configuration. */
  readonly id: string;
  /** The same for every model of this key. */
  readonly keyId: string;
  /** The provider's name of the model. */
  readonly model: string;
  readonly providerName: string;
  /** Which of the provider's keys, by the name of its variable or file; empty where there is none. */
  readonly keyName: string;
  readonly price?: Price | undefined;
  /** One call at a time to each of its connections, without retries. */
  readonly provider: Provider;
}

/** The rungs of one model: steps in the order of preference, each with a rung for every key. */
export type Ladder = readonly (readonly Rung[])[];
