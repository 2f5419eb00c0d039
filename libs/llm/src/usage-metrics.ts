import { counter } from '@starling/telemetry';
import type { LadderConfig } from './ladder/ladder-config.ts';
import type { UsedTokens } from './ladder/ladder-provider.ts';

const tokens = counter('starling.llm.tokens');
const cost = counter('starling.llm.cost');
const saved = counter('starling.llm.cost_saved');

/** Any name of a model may be asked for where there is no file: those that the settings do not name are one. */
const otherModel = 'other';

/**
 * Counts what an answered call used (features C8). A metric has a series for each set of labels, so they are
 * only what the configuration names.
 */
export function countUsage(
  { costUsd, rung, savedUsd, usage }: UsedTokens,
  config: LadderConfig,
): void {
  const { model, providerName: provider } = rung;
  const isNamed = config.models.some(({ ladder }) => ladder.some((step) => step.model === model));
  const { completionTokens, estimated, promptTokens } = usage;
  const labels = { provider, model: isNamed ? model : otherModel, estimated };
  tokens.add(promptTokens, { ...labels, kind: 'prompt' });
  tokens.add(completionTokens, { ...labels, kind: 'completion' });
  if (costUsd !== undefined) cost.add(costUsd, labels);
  // A counter only grows: a small model that cost more has saved nothing.
  if (savedUsd !== undefined && savedUsd > 0) saved.add(savedUsd, labels);
}
