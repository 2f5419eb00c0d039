import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  allSections,
  configurationPagePath,
  field,
  parseConfig,
  renderConfigurationPage,
} from '../src/index.ts';

const root = join(import.meta.dirname, '../../..');

describe('docs/configuration.md', () => {
  it('is what the sections generate; else run: npm run config-docs', () => {
    const check = ['scripts/config-docs.ts', '--check'];
    expect(execFileSync(process.execPath, check, { cwd: root, encoding: 'utf8' })).toContain(
      'holds',
    );
  });

  it('has the defaults that an empty environment is parsed to', async () => {
    const page = await readFile(join(root, configurationPagePath), 'utf8');
    const written = new Map<string, string>();
    for (const [, variable = '', value = ''] of page.matchAll(/^\| `(\w+)` \| (.+?) \| /gm)) {
      written.set(variable, value);
    }
    const parsed = new Map<string, string>();
    for (const section of Object.values(allSections)) {
      const config: Readonly<Record<string, unknown>> = parseConfig(section, {});
      for (const [name, { variable }] of Object.entries(section)) {
        const value = config[name];
        parsed.set(variable, value === undefined ? 'unset' : `\`${value}\``);
      }
    }
    expect(written).toEqual(parsed);
  });
});

describe('every setting', () => {
  const settings = Object.values(allSections).flatMap((section) => Object.values(section));

  it.each(settings)('$variable accepts its own default', ({ default: value, parse }) => {
    if (value !== undefined) expect(parse(String(value))).toEqual({ value });
  });

  it.each(settings)('$variable says what it does', ({ variable, doc }) => {
    expect(variable).toMatch(/^[A-Z][A-Z0-9_]+$/);
    expect(doc).toMatch(/^[A-Z`].{20,}\.$/);
  });

  it('has a variable of its own', () => {
    const variables = settings.map(({ variable }) => variable);
    expect(variables.filter((variable, index) => variables.indexOf(variable) !== index)).toEqual(
      [],
    );
  });
});

describe('renderConfigurationPage', () => {
  it('marks secrets, escapes the table, and wants an introduction', () => {
    const some = {
      someNatsSection: { key: field.text('KEY', { default: 'a|b', secret: true, doc: 'A key.' }) },
    };
    const page = renderConfigurationPage(
      some,
      '/** What a\n * key opens. */\nexport const someNatsSection = {',
    );
    expect(page).toContain('## Some NATS\n\nWhat a key opens.\n');
    expect(page).toContain('| `KEY` | `a\\|b` | text; secret | A key. |');
    expect(() => renderConfigurationPage(some, 'export const someNatsSection = {')).toThrow(
      'someNatsSection has no comment',
    );
  });
});
