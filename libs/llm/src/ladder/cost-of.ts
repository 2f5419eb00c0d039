import type { Usage } from '@starling/contracts';
import type { Price } from './rung.ts';

/** What a call cost, US dollars. */
export function costOf(usage: Usage, { completionPerMillion, promptPerMillion }: Price): number {
  const { completionTokens, promptTokens } = usage;
  return (promptTokens * promptPerMillion + completionTokens * completionPerMillion) / 1_000_000;
}
