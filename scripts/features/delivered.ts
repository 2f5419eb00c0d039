/** What the product does today, by the ids of the list of features, in our own words. */
export interface Feature {
  readonly id: string;
  readonly name: string;
  /** What of it is not there yet; undefined when it is delivered whole. */
  readonly missing?: string;
}

export const features: readonly Feature[] = [
  {
    id: 'A1',
    name: 'Eight digits of the trace id name a request on spans, logs, headers and errors',
  },
  { id: 'A2', name: 'Nine phases, each timed by a span and a histogram' },
  {
    id: 'A9',
    name: 'The answer streams into the message by edits; its final text always arrives',
    missing: 'the cadence does not yet follow Discord’s limits',
  },
  { id: 'B1', name: 'A job goes to the worker with the fewest open streams a slot' },
  {
    id: 'B3',
    name: 'A worker’s health is what the worker itself last reported',
    missing: 'ejection, slow return and a score by error rate',
  },
  {
    id: 'B5',
    name: 'An accepted job is stored until its answer is',
    missing: 'the ledger that tells a second answer from a first',
  },
  { id: 'B8', name: 'A worker told to stop finishes what streams and takes nothing new' },
  {
    id: 'C1',
    name: 'Speaks to OpenAI-compatible servers',
    missing: 'Ollama’s and Anthropic’s own protocols',
  },
  {
    id: 'C2',
    name: 'Provider connections are leased from a pool',
    missing: 'lifetimes, presets and alarms',
  },
  {
    id: 'F1',
    name: 'Answers mentions, replies and direct messages',
    missing: 'slash and context-menu commands',
  },
  { id: 'F3', name: 'Typing shows at once', missing: 'skipping enrichment for short texts' },
  { id: 'F9', name: 'Nobody is pinged by an answer', missing: 'localised command names' },
  { id: 'F10', name: 'A failure is told once, calmly, with its correlation id' },
  { id: 'H2', name: 'Logs for eyes and logs for machines, with fixed keys' },
  { id: 'I1', name: 'One command runs all of it on a laptop, one command tests it' },
];

/** How many ids each letter of the list of features has. */
const families: Readonly<Record<string, number>> = {
  A: 10,
  B: 10,
  C: 8,
  D: 6,
  E: 7,
  F: 10,
  G: 6,
  H: 8,
  I: 6,
};

/** Is this `A1` to `I6`? */
export function isFeatureId(id: string): boolean {
  const number = Number(id.slice(1));
  return number >= 1 && number <= (families[id.slice(0, 1)] ?? 0);
}
