import { describe, expect, it } from 'vitest';
import { isFeatureId } from '../features/delivered.ts';
import { namingTests } from '../features/map.ts';
import { problemsOf, renderPage } from '../features/page.ts';

const path = 'libs/a/test/a.pure.test.ts';
const features = [
  { id: 'A1', name: 'one' },
  { id: 'B3', name: 'two', missing: 'most of it' },
];

describe('the feature map', () => {
  it('reads ids from the titles of tests, groups and tables, and from nowhere else', () => {
    const text = [
      "describe('group [A1]', () => {",
      "  it('one [A1, B3]', () => { expect('[C1]').toBe(list['D1']); });",
      '  it.each([[1]])(`many %s [B3] [C2]`, () => {});',
      "  // it('not this [E1]')",
      '});',
    ].join('\n');
    expect(namingTests(path, text).map(({ ids }) => ids)).toEqual([
      ['A1'],
      ['A1', 'B3'],
      ['B3', 'C2'],
    ]);
  });

  it('fails a delivered feature that no test names, a feature listed twice, an id that is none', () => {
    const [test] = namingTests(path, "it('x [A1] [A11]', () => {});");
    expect(problemsOf([...features, ...features.slice(0, 1)], test ? [test] : [])).toEqual([
      'B3 counts as delivered (two), but no test names it',
      'A1 is listed twice',
      `${path}: "x [A1] [A11]" names A11, which is no feature`,
    ]);
  });

  it('knows the ids', () => {
    expect(['A1', 'A10', 'I6'].every(isFeatureId)).toBe(true);
    expect(['A0', 'A11', 'I7', 'K1', ''].some(isFeatureId)).toBe(false);
  });

  it('renders each feature with its tests, and names what is only being built', () => {
    const page = renderPage(features, namingTests(path, "it('a*b [A1]', f); it('x [G2]', f);"));
    expect(page).toContain('| [B3](#b3) | two | in part; missing: most of it |');
    expect(page).toContain(`- [${path}](../${path})\n  - a\\*b \\[A1\\]`);
    expect(page).toContain('## B3\n\nNo test names it yet.');
    expect(page).toContain('## Named by tests, not claimed yet\n\nG2\n');
  });
});
