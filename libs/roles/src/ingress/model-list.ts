import type { BalancerRoster } from './balancer-roster.ts';
import { defaultModelName } from './chat-request.ts';

/** Names that can be asked for: `default`, and what live workers serve. */
function names(roster: BalancerRoster): readonly string[] {
  return [...new Set([defaultModelName, ...roster.models.names])];
}

/** Whether it may be asked for; any name may unless every worker told what it serves. */
export function isModelOffered(roster: BalancerRoster, name: string): boolean {
  const { all, names } = roster.models;
  return !all || name === defaultModelName || names.includes(name);
}

const modelObject = (id: string) => ({ id, object: 'model', created: 0, owned_by: 'starling' });

/** `GET /v1/models` (platform.openai.com/docs/api-reference/models/list). */
export function modelListBody(roster: BalancerRoster): string {
  return JSON.stringify({ object: 'list', data: names(roster).map(modelObject) });
}

/** `GET /v1/models/NAME`; undefined for a name that is not in the list. */
export function modelBody(roster: BalancerRoster, name: string): string | undefined {
  return names(roster).includes(name) ? JSON.stringify(modelObject(name)) : undefined;
}
