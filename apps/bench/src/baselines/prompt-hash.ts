import { hash } from 'node:crypto';

/**
 * Under what hash the provider's record has a call of the load generator: the emulator's README gives
 * its form. It ties what the client saw of a call to what the provider saw of it.
 */
export function promptHash(model: string, prompt: string): string {
  return hash('sha256', JSON.stringify([model, [['user', prompt]]])).slice(0, 16);
}
