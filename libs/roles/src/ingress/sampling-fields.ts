import type { Sampling } from '@starling/contracts';
import { invalid } from './field-problem.ts';

type Fields = Readonly<Record<string, unknown>>;

const ranges = [
  ['temperature', 'temperature', 0, 2],
  ['top_p', 'topP', 0, 1],
  ['frequency_penalty', 'frequencyPenalty', -2, 2],
  ['presence_penalty', 'presencePenalty', -2, 2],
] as const;

const maxStops = 4;
const maxStopLength = 200;

/**
 * How the words are to be drawn; undefined when the request leaves all of it to the provider.
 * @throws {FieldProblem}
 */
export function readSampling(fields: Fields): Sampling | undefined {
  const sampling: { -readonly [Name in keyof Sampling]: Sampling[Name] } = {};
  for (const [field, name, min, max] of ranges) {
    const value = fields[field] ?? undefined;
    if (value === undefined) continue;
    if (typeof value !== 'number' || !(value >= min && value <= max)) {
      throw invalid(field, value, `set it to a number from ${min} to ${max}, or leave it out`);
    }
    sampling[name] = value;
  }
  const stop = readStop(fields.stop ?? undefined);
  if (stop) sampling.stop = stop;
  const seed = fields.seed ?? undefined;
  if (seed !== undefined) {
    if (!Number.isSafeInteger(seed)) {
      throw invalid('seed', seed, 'set it to a whole number, or leave it out');
    }
    sampling.seed = seed as number;
  }
  return Object.keys(sampling).length === 0 ? undefined : sampling;
}

function readStop(value: unknown): string[] | undefined {
  if (value === undefined) return undefined;
  const stops: unknown[] = Array.isArray(value) ? value : [value];
  const fits = (stop: unknown) =>
    typeof stop === 'string' && stop.length > 0 && stop.length <= maxStopLength;
  if (stops.length > maxStops || !stops.every(fits)) {
    throw invalid(
      'stop',
      value,
      `set it to a text of 1 to ${maxStopLength} characters or to up to ${maxStops} of them, or leave it out`,
    );
  }
  return stops.length === 0 ? undefined : (stops as string[]);
}
