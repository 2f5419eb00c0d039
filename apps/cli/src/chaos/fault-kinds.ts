/** The faults that there are, and the scenarios made of them. */

/** Each fault with what it does to the running fleet. */
export const faultMeanings = {
  'kill-worker': 'kill -9 of a worker',
  'kill-balancer': 'kill -9 of a balancer',
  'kill-bot': 'kill -9 of one cluster, a child of the bot',
  'restart-nats': 'kill -9 of NATS, which comes back on its files',
  'restart-redis': 'kill -9 of Redis, which comes back on its files',
  'restart-both': 'kill -9 of NATS and Redis at once',
  'restart-redis-empty': 'kill -9 of Redis, which comes back with nothing',
  'redis-stop': 'SIGSTOP of Redis for a while, then SIGCONT: no answer, and no closed connection',
  'redis-flush': 'Redis forgets all it has, its scripts too, and serves on',
  'pause-worker': 'SIGSTOP of a worker for longer than its lease, then SIGCONT',
  'pause-balancer': 'SIGSTOP of a balancer for as long, then SIGCONT',
  'cut-network': 'nothing passes between a worker and NATS for as long',
  'lost-post-reply': 'Discord creates messages whose replies never arrive',
} as const;

export type FaultKind = keyof typeof faultMeanings;

export const faultKinds = Object.keys(faultMeanings) as readonly FaultKind[];

/** One fault again and again, or `storm`: all of them in a random order. */
export type ScenarioName = FaultKind | 'storm';

export const scenarioNames: readonly ScenarioName[] = [...faultKinds, 'storm'];

export function isScenario(name: string): name is ScenarioName {
  return scenarioNames.some((scenario) => scenario === name);
}
