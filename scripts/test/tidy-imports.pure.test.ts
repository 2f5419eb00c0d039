import { describe, expect, it } from 'vitest';
import { deadFiles } from '../tidy/dead-files.ts';
import { declaredImports } from '../tidy/dependencies.ts';
import { layers } from '../tidy/layers.ts';
import { findings, manifest } from './tidy-project.ts';

const doors = (...names: string[]) => ({
  exports: Object.fromEntries(names.map((name) => [name, './src/index.ts'])),
});
const libraries = ['clock', 'config', 'bus', 'jobs', 'roles', 'harness', 'novel'];
const packages = {
  'package.json': manifest('root', { devDependencies: { vitest: '1.0.0' } }),
  'apps/cli/package.json': manifest('@starling/cli'),
  'apps/bench/package.json': manifest('@starling/bench'),
  'apps/worker/package.json': manifest('@starling/worker', doors('./testing')),
  ...Object.fromEntries(
    libraries.map((name) => [
      `libs/${name}/package.json`,
      manifest(`@starling/${name}`, doors('.', './testing', './worker')),
    ]),
  ),
};

describe('layers', () => {
  const at = (path: string, specifier: string) =>
    findings(layers, { ...packages, [path]: `import { x } from '${specifier}';` });

  it.each([
    ['libs/jobs/src/a.ts', '@starling/bus'],
    ['libs/bus/src/a.ts', './b.ts'],
    ['libs/bus/src/deep/a.ts', '../b.ts'],
    ['libs/bus/test/a.pure.test.ts', '../src/b.ts'],
    ['libs/bus/test/a.contract.test.ts', '@starling/harness'],
    ['libs/jobs/test/a.contract.test.ts', '@starling/bus/testing'],
    ['libs/jobs/src/testing.ts', '@starling/bus/testing'],
    ['libs/roles/test/a.contract.test.ts', '@starling/worker/testing'],
    ['apps/cli/src/main.ts', '@starling/harness'],
    ['apps/bench/src/main.ts', '@starling/harness'],
    ['apps/worker/src/main.ts', '@starling/roles'],
    ['apps/worker/src/main.ts', '@starling/roles/worker'],
    ['libs/bus/test/a.contract.test.ts', '@starling/bus/testing'],
    ['scripts/test.ts', '@starling/harness'],
    ['libs/bus/src/a.ts', 'nats'],
    ['libs/roles/src/bot/a.ts', '../delivery/b.ts'],
    ['libs/roles/src/index.ts', './bot/index.ts'],
  ])('lets %s import %s', (path, specifier) => {
    expect(at(path, specifier)).toEqual([]);
  });

  it.each([
    ['libs/bus/src/a.ts', '@starling/jobs', 'which stands above bus'],
    ['libs/clock/src/a.ts', '@starling/config', 'which stands above clock'],
    ['libs/bus/test/a.pure.test.ts', '@starling/roles', 'which stands above bus'],
    ['libs/roles/src/a.ts', '@starling/harness', 'only tests, the cli, benchmarks and scripts'],
    ['apps/worker/src/main.ts', '@starling/harness', 'only tests, the cli, benchmarks and scripts'],
    [
      'apps/worker/src/main.ts',
      '@starling/bus/testing',
      'only tests, the cli, benchmarks and scripts',
    ],
    ['apps/cli/src/main.ts', '@starling/worker', 'nothing imports an app'],
    ['apps/cli/src/main.ts', '@starling/worker/testing', 'nothing imports an app'],
    ['libs/jobs/src/a.ts', '@starling/bus/src/port.ts', 'is no door of'],
    ['libs/jobs/src/a.ts', '@starling/bus/inner', 'is no door of'],
    ['libs/clock/src/a.ts', '@starling/roles/worker', 'which stands above clock'],
    ['libs/roles/test/a.contract.test.ts', '@starling/cli/testing', 'nothing imports an app'],
    ['libs/jobs/src/a.ts', '../../bus/src/port.ts', 'reaches out of its package'],
    ['apps/cli/src/a.ts', '../../worker/src/b.ts', 'reaches out of its package'],
    ['libs/roles/src/bot/a.ts', '../worker/b.ts', 'the role bot imports the role worker'],
    ['libs/bus/src/a.ts', '@starling/bus', 'imports its own package by name'],
    ['libs/bus/src/a.ts', '@starling/novel', 'no place in the order'],
    ['libs/novel/src/a.ts', '@starling/bus', 'no place in the order'],
  ])('convicts %s of importing %s', (path, specifier, reason) => {
    expect(at(path, specifier)).toEqual([expect.stringContaining(reason)]);
  });
});

describe('declared imports', () => {
  const files = (path: string, specifier: string) => ({
    'package.json': packages['package.json'],
    'libs/bus/package.json': manifest('@starling/bus', {
      dependencies: { nats: '1.0.0' },
      devDependencies: { sinon: '1.0.0' },
    }),
    [path]: `import x from '${specifier}';`,
  });

  it.each([
    ['libs/bus/src/a.ts', 'nats'],
    ['libs/bus/src/a.ts', 'nats/core'],
    ['libs/bus/src/a.ts', 'node:fs'],
    ['libs/bus/src/testing.ts', 'vitest'],
    ['libs/bus/test/a.pure.test.ts', 'vitest'],
    ['libs/bus/test/a.pure.test.ts', 'sinon'],
    ['libs/bus/test/a.pure.test.ts', '@starling/bus/testing'],
    ['scripts/test.ts', 'vitest'],
  ])('lets %s import %s', (path, specifier) => {
    expect(findings(declaredImports, files(path, specifier))).toEqual([]);
  });

  it.each([
    ['libs/bus/src/a.ts', 'zod'],
    ['libs/bus/src/a.ts', 'vitest'],
    ['libs/bus/src/a.ts', 'sinon'],
    ['scripts/test.ts', 'nats'],
  ])('convicts %s of importing %s', (path, specifier) => {
    const [finding] = findings(declaredImports, files(path, specifier));
    expect(finding).toContain(`${specifier} is not declared`);
  });
});

describe('dead files', () => {
  const tree = {
    'package.json': manifest('root', { scripts: { go: 'sh scripts/run.sh scripts/go.ts' } }),
    'libs/bus/package.json': manifest('@starling/bus', { exports: { '.': './src/index.ts' } }),
    'libs/bus/src/index.ts': "export { a } from './a.ts';",
    'libs/bus/src/a.ts': "import type { B } from './b.ts';",
    'libs/bus/src/b.ts': '',
    'libs/bus/test/b.pure.test.ts': "import { fixture } from './fixture.ts';",
    'libs/bus/test/fixture.ts': '',
    'apps/bot/src/main.ts': "fork(fileURLToPath(new URL('./child.ts', import.meta.url)));",
    'apps/bot/src/child.ts': '',
    'scripts/go.ts': "spawn(['scripts/by-path.ts']);",
    'scripts/by-path.ts': '',
    'scripts/run.sh': 'node scripts/by-shell.ts',
    'scripts/by-shell.ts': '',
    'vitest.config.ts': '',
    'libs/bus/test/untyped.d.ts': "declare module 'untyped';",
  };

  it('finds none where everything is reached', () => {
    expect(findings(deadFiles, tree)).toEqual([]);
  });

  it('finds a file nobody imports, and one that only itself and its like import', () => {
    const dead = {
      ...tree,
      'libs/bus/src/c.ts': "import './d.ts';",
      'libs/bus/src/d.ts': "import './c.ts';",
    };
    expect(findings(deadFiles, dead)).toEqual([
      expect.stringContaining('libs/bus/src/c.ts'),
      expect.stringContaining('libs/bus/src/d.ts'),
    ]);
  });

  it('finds a source that only a test reaches', () => {
    const dead = {
      ...tree,
      'libs/bus/src/c.ts': '',
      'libs/bus/test/c.pure.test.ts': "import '../src/c.ts';",
    };
    expect(findings(deadFiles, dead)).toEqual([expect.stringContaining('only tests reach it')]);
  });

  it('finds a fixture no test imports', () => {
    expect(findings(deadFiles, { ...tree, 'libs/bus/test/lost.ts': '' })).toHaveLength(1);
  });
});
