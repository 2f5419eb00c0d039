/** `npm run features [-- --check]`: writes docs/features.md, or says whether it holds. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { features } from './features/delivered.ts';
import { namingTests } from './features/map.ts';
import { pagePath, problemsOf, renderPage } from './features/page.ts';
import { readWorkTree, root } from './work-tree.ts';

const check = process.argv.includes('--check');
const files = readWorkTree();
const tests = files
  .filter(({ path }) => path.endsWith('.test.ts'))
  .flatMap(({ path, text }) => namingTests(path, text));
const page = renderPage(features, tests);
const problems = problemsOf(features, tests);

if (!check) {
  mkdirSync(dirname(join(root, pagePath)), { recursive: true });
  writeFileSync(join(root, pagePath), page);
} else if (files.find(({ path }) => path === pagePath)?.text !== page) {
  problems.push(`${pagePath} is stale: run npm run features`);
}

for (const problem of problems) console.log(`✖ ${problem}`);
console.log(`features: ${features.length} delivered, named by ${tests.length} tests`);
process.exitCode = problems.length === 0 ? 0 : 1;
