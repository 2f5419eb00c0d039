import { hash } from 'node:crypto';

const labelPattern = /^key-[0-9a-f]{12}$/;

/** The label of a request that showed no key. */
const noKeyLabel = 'key-none';

/**
 * Stands for a provider key everywhere in the emulator: a hash, so that two keys are told apart while
 * neither a record nor a control answer can give one away. A label stays what it is, so what a control
 * endpoint answered can be sent back to it.
 */
export function keyLabel(key: string | undefined): string {
  if (key === undefined || key === '') return noKeyLabel;
  if (key === noKeyLabel || labelPattern.test(key)) return key;
  return `key-${hash('sha256', key).slice(0, 12)}`;
}
