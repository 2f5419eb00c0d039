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
    id: 'A3',
    name: 'A synchronous router with a budget: addressed or not, and what can be skipped',
    missing: 'the share of direct messages on the fast path is not measured yet',
  },
  {
    id: 'A5',
    name: 'A pure context builder with token budgets, a stable prefix and a notice of what is left out',
    missing: 'budgets of a guild of its own',
  },
  { id: 'A6', name: 'A replayed, redelivered or taken-over message gives one visible answer' },
  {
    id: 'A7',
    name: 'The record of a job: who runs it, which attempt, how it ended; released, cancelled or shown by an operator',
  },
  {
    id: 'A8',
    name: 'People of a guild (on request: callers of a key) who ask the same share one call, each with a stream',
  },
  { id: 'A9', name: 'The answer streams into the message by edits; its final text always arrives' },
  {
    id: 'A10',
    name: 'The Stop button, or deleting the question, stops the answer and the provider’s stream',
    missing: 'the regenerate and continue buttons',
  },
  {
    id: 'B1',
    name: 'A job goes to the worker with the fewest open streams a slot, of those that serve its model',
  },
  {
    id: 'B2',
    name: 'Other strategies of choice behind the same port',
  },
  {
    id: 'B3',
    name: 'A worker’s health is what the worker itself last reported; a slow or failing one gets less',
    missing: 'the ejection told to operators',
  },
  { id: 'B4', name: 'Several balancers at once, none special; no death leaks a count' },
  { id: 'B5', name: 'An accepted job survives any one process and is answered once' },
  {
    id: 'B6',
    name: 'Lanes, then fairness between guilds and users in LLM tokens, over all waiting work; who waits is shown place and time',
  },
  { id: 'B7', name: 'Queues are bounded and shed with a reason and a time' },
  { id: 'B8', name: 'A worker told to stop finishes what streams and takes nothing new' },
  {
    id: 'B9',
    name: 'A worker runs fewer answers at once while they begin late at the provider; how many workers the load wants is told',
  },
  { id: 'B10', name: 'Every choice of a worker is explained on its span' },
  {
    id: 'C1',
    name: 'Speaks to OpenAI-compatible servers, to Ollama and to Anthropic, each in its own protocol',
  },
  {
    id: 'C2',
    name: 'Provider connections are leased from a pool, kept alive, renewed and reused',
    missing: 'the presets and the alarm',
  },
  { id: 'C3', name: 'Four timers: connect, first token, between tokens, total' },
  {
    id: 'C4',
    name: 'Retries only before the first text, with full jitter, honouring Retry-After, out of one budget a process',
  },
  {
    id: 'C5',
    name: 'A circuit breaker for each provider, key and model, and the standing of each key, shared by the fleet',
  },
  {
    id: 'C6',
    name: 'A ladder of rungs that steps down before the first text, remembers bad ones, says who answered, and asks a second one when a direct message’s answer is late',
  },
  {
    id: 'C7',
    name: 'A rule table chooses a small or a large model for a question that names none; its rule stands on the span',
    missing: 'the cost saved printed for the operator; it is a metric so far',
  },
  {
    id: 'C8',
    name: 'Usage and cost of each answer, by the provider’s figures or counted, on its span and as metrics by model',
    missing: 'sums by user and guild',
  },
  {
    id: 'D1',
    name: 'Buckets in Redis over user, role, channel and guild: several at once, all or none, reserved and settled',
    missing: 'models, commands',
  },
  {
    id: 'D2',
    name: 'No window of a shared limit is exceeded, wherever in a call its use counts',
    missing: 'Discord’s global REST limit and identify lanes',
  },
  {
    id: 'D3',
    name: 'Who spends often from a window takes slices of it, for a second at most',
  },
  {
    id: 'D4',
    name: 'While Redis is away each process goes by its share, told by one line each way',
  },
  { id: 'D5', name: 'Refusals say the reason, when to try again, and the correlation id' },
  {
    id: 'D6',
    name: 'Budgets in LLM tokens of user, role, channel and guild, a day and a month; told of at 80 %',
    missing: 'money; telling users and admins',
  },
  {
    id: 'F1',
    name: 'Answers mentions, replies and direct messages',
    missing: 'slash and context-menu commands, threads of its own',
  },
  {
    id: 'F2',
    name: 'Long answers continue where Markdown stays whole',
    missing: 'a file past so many parts',
  },
  { id: 'F3', name: 'Typing shows at once and ends with the answer' },
  {
    id: 'F9',
    name: 'Nobody is pinged by an answer; no bot is answered',
    missing: 'localised command names',
  },
  { id: 'F10', name: 'A failure is told once, calmly, with its correlation id' },
  { id: 'H2', name: 'Logs for eyes and logs for machines, with fixed keys' },
  {
    id: 'H5',
    name: 'Operator’s commands: status, jobs, dead letters',
    missing: 'top, explain, doctor, profile, drain, smoke',
  },
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
