/** `npm run config-docs [-- --check]`: writes docs/configuration.md, or says whether it holds. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { allSections, configurationPagePath, renderConfigurationPage } from '@starling/config';
import { root } from './work-tree.ts';

const check = process.argv.includes('--check');
const page = renderConfigurationPage(allSections, readSource());
const path = join(root, configurationPagePath);

if (!check) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, page);
  console.log(`${configurationPagePath}: ${Object.keys(allSections).length} sections`);
} else if (readPage() !== page) {
  console.log(`✖ ${configurationPagePath} is stale: run npm run config-docs`);
  process.exitCode = 1;
} else {
  console.log(`${configurationPagePath} holds`);
}

/** The files of the sections, in the order in which `sections.ts` lists them. */
function readSource(): string {
  const folder = join(root, 'libs/config/src');
  const list = readFileSync(join(folder, 'sections.ts'), 'utf8');
  return [...list.matchAll(/'\.\/(sections\/[\w-]+\.ts)'/g)]
    .map(([, file = '']) => readFileSync(join(folder, file), 'utf8'))
    .join('\n');
}

function readPage(): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
