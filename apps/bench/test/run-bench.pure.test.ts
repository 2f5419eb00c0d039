import { SimulatedClock } from '@starling/clock';
import { describe, expect, it } from 'vitest';
import type { Benchmark } from '../src/benchmark.ts';
import { runBench } from '../src/run-bench.ts';

const never: Benchmark = {
  name: 'never',
  summary: 'is never run here',
  defaultSeconds: 10,
  run: () => Promise.reject(new Error('ran')),
};

async function bench(...args: string[]) {
  const said: string[] = [];
  const out: string[] = [];
  const code = await runBench({
    benchmarks: [never],
    args,
    root: '/nowhere',
    environment: {},
    clock: new SimulatedClock(),
    out: (line) => out.push(line),
    say: (line) => said.push(line),
    stop: new AbortController().signal,
  });
  return { code, said: said.join('\n'), out };
}

describe('npm run bench', () => {
  it.each([
    [[], 'name a benchmark'],
    [['nothing'], 'there is no benchmark nothing'],
    [['never', 'more'], 'there is no benchmark never more'],
    [['never', '--rounds', '0'], '--rounds 0: give a whole number from 1 to 50'],
    [['never', '--rounds', 'five'], '--rounds five'],
    [['never', '--seconds', '1.5'], '--seconds 1.5: give a whole number'],
    [['never', '--loud'], '--loud'],
  ])('with %j says what is wrong and what there is, and starts nothing', async (args, problem) => {
    const { code, said, out } = await bench(...args);
    expect(code).toBe(2);
    expect(said).toContain(problem);
    expect(said).toContain('never  is never run here (10 s)');
    expect(out).toEqual([]);
  });
});
