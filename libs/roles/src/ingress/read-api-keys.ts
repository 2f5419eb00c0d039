import { readFile } from 'node:fs/promises';
import { ConfigError, type ConfigOf, ingressSection } from '@starling/config';
import { type ApiKey, parseApiKeys } from './api-keys.ts';

/**
 * The keys of the variable and of the file together; none when neither is set.
 * @throws {ConfigError} naming the variable and the remedy, never an entry
 */
export async function readApiKeys({
  apiKeys,
  apiKeysFile,
}: Pick<ConfigOf<typeof ingressSection>, 'apiKeys' | 'apiKeysFile'>): Promise<readonly ApiKey[]> {
  const inVariable = parsed(apiKeys ?? '', ingressSection.apiKeys.variable, '(hidden)');
  if (apiKeysFile === undefined) return inVariable;
  const { variable } = ingressSection.apiKeysFile;
  let text: string;
  try {
    text = await readFile(apiKeysFile, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new ConfigError([
      {
        variable,
        value: apiKeysFile,
        problem: `cannot be read (${code}); name a file that this process may read, or leave it out`,
      },
    ]);
  }
  const inFile = parsed(text, variable, apiKeysFile);
  const twice = inFile.find(({ name }) => inVariable.some((key) => key.name === name));
  if (twice) {
    const problem = `the name ${twice.name} stands in ${ingressSection.apiKeys.variable} too, so it would be there twice; take one away`;
    throw new ConfigError([{ variable, value: apiKeysFile, problem }]);
  }
  const all = [...inVariable, ...inFile];
  if (all.length === 0) {
    // A file that lost its lines must not open the door to everybody on this host.
    throw new ConfigError([
      { variable, value: apiKeysFile, problem: 'has no entry; add one, or leave it out' },
    ]);
  }
  return all;
}

function parsed(text: string, variable: string, value: string): readonly ApiKey[] {
  const result = parseApiKeys(text);
  if ('problem' in result) throw new ConfigError([{ variable, value, problem: result.problem }]);
  return result.keys;
}
