import { describe, expect, it } from 'vitest';
import { ControlProblem, parseControl } from '../src/control/control-problem.ts';
import { faultsSchema } from '../src/faults/fault.ts';
import { profileSchema } from '../src/profile.ts';

function problemsOf(parse: () => unknown) {
  try {
    parse();
  } catch (error) {
    if (error instanceof ControlProblem) return error.problems;
    throw error;
  }
  return [];
}
const ofFaults = (input: unknown) => problemsOf(() => parseControl(faultsSchema, input));
const ofProfile = (input: unknown) => problemsOf(() => parseControl(profileSchema, input));

describe('parseControl', () => {
  it('names field, value and remedy', () => {
    expect(ofFaults({ rules: [{ probability: 7, fault: { kind: 'no-usage' } }] })).toEqual([
      { field: 'rules.0.probability', value: '7', remedy: 'Too big: expected number to be <=1' },
    ]);
  });

  it('finds its way into one fault or a list of them', () => {
    const wrong = { kind: 'status', status: 99 };
    expect(ofFaults({ rules: [{ fault: wrong }] })[0]?.field).toBe('rules.0.fault.status');
    expect(ofFaults({ rules: [{ fault: [wrong] }] })[0]?.field).toBe('rules.0.fault.0.status');
  });

  it('lists the kinds when one is unknown', () => {
    const [problem] = ofFaults({ rules: [{ fault: { kind: 'gremlin' } }] });
    expect(problem).toMatchObject({ field: 'rules.0.fault.kind', value: '"gremlin"' });
    expect(problem?.remedy).toContain('slow-drip');
  });

  it('names fields that it does not know', () => {
    expect(ofProfile({ timescale: 2 })).toEqual([
      { field: 'timescale', value: '2', remedy: 'remove it or correct its name' },
    ]);
  });

  it('tells every problem at once, and no key', () => {
    const problems = ofProfile({ timeScale: -1, acceptedKeys: ['sk-fine', 7], models: [] });
    expect(problems.map(({ field }) => field)).toEqual(['timeScale', 'acceptedKeys.1', 'models']);
    expect(problems[1]?.value).toBe('(hidden)');
  });

  it('refuses two models of one name', () => {
    const model = { name: 'm', firstTokenMs: { median: 1 }, tokensPerSecond: { median: 1 } };
    expect(ofProfile({ models: [model, model] })).toMatchObject([
      { field: 'models', remedy: 'give each model a name of its own' },
    ]);
  });
});
