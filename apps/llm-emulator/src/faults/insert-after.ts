import type { BytesStep, Step } from '../reply-steps.ts';

/**
 * The steps with others put in right after the frame that completes `count` LLM tokens (0: before the
 * first frame); a whole body is divided in the same proportion, never at its very ends. The inserted
 * steps are made only when they are due, because frames depend on those written before. `rest` says
 * what becomes of the steps behind.
 */
export function* insertAfter(
  steps: Iterable<Step>,
  count: number,
  inserted: () => Iterable<Step>,
  rest: 'keep' | 'drop' = 'keep',
): Generator<Step> {
  let seen = 0;
  let done = false;
  for (const step of steps) {
    if (done || step.kind !== 'bytes') {
      yield step;
      continue;
    }
    const [before, after] = step.role === 'body' ? divide(step, count) : [step, undefined];
    const early = count === 0 && step.role === 'frame';
    seen += step.tokens;
    done = step.role === 'body' || seen >= count;
    if (!early) yield before;
    if (done) yield* inserted();
    if (done && rest === 'drop') return;
    if (early) yield before;
    if (after) yield after;
  }
}

function divide(step: BytesStep, count: number): readonly [BytesStep, BytesStep] {
  const bytes = Buffer.from(step.data);
  const share = Math.min(1, count / Math.max(1, step.tokens));
  const at = Math.max(1, Math.min(bytes.length - 1, Math.floor(bytes.length * share)));
  const tokens = Math.min(step.tokens, count);
  return [
    { ...step, data: bytes.subarray(0, at), tokens },
    { ...step, data: bytes.subarray(at), tokens: step.tokens - tokens },
  ];
}
