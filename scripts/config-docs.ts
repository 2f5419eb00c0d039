/** `npm run config-docs [-- --check]`: writes docs/configuration.md, or says whether it holds. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { configurationPagePath, renderConfigurationPage } from '@starling/config/page';
import * as sections from '@starling/config/sections';
import { root } from './work-tree.ts';

const check = process.argv.includes('--check');
const source = readFileSync(join(root, 'libs/config/src/sections.ts'), 'utf8');
const page = renderConfigurationPage(sections, source);
const path = join(root, configurationPagePath);

if (!check) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, page);
  console.log(`${configurationPagePath}: ${Object.keys(sections).length} sections`);
} else if (readPage() !== page) {
  console.log(`✖ ${configurationPagePath} is stale: run npm run config-docs`);
  process.exitCode = 1;
} else {
  console.log(`${configurationPagePath} holds`);
}

function readPage(): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
